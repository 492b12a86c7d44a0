import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { Link, usePlace } from "./routing/navigation.tsx";
import { readRoute } from "./routing/route.ts";
import { RunPage } from "./run/run-page.tsx";
import { RunsPage } from "./runs/runs-page.tsx";
import { CommandPalette } from "./shell/command-palette.tsx";
import { Notices } from "./shell/notices.tsx";
import { SessionGate } from "./shell/session.tsx";
import { TopBar } from "./shell/top-bar.tsx";
import { EmptyState, LoadingState } from "./ui/states.tsx";

const WorkersPage = lazy(() =>
  import("./workers/workers-page.tsx").then((module) => ({ default: module.WorkersPage })),
);
const TemplatesPage = lazy(() =>
  import("./templates/templates-page.tsx").then((module) => ({ default: module.TemplatesPage })),
);
const NewRunPage = lazy(() => import("./new-run/new-run-page.tsx").then((module) => ({ default: module.NewRunPage })));
const ShardPage = lazy(() => import("./run/shard-page.tsx").then((module) => ({ default: module.ShardPage })));

/** The whole page. */
export function App(): ReactNode {
  const [isSearching, setIsSearching] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setIsSearching((before) => !before);
    };
    globalThis.addEventListener("keydown", listen);
    return () => globalThis.removeEventListener("keydown", listen);
  }, []);
  return (
    <Notices>
      <SessionGate>
        <a className="skip-link" href="#content" onClick={skipToContent}>
          Skip to content
        </a>
        <TopBar onSearch={() => setIsSearching(true)} />
        <main id="content" tabIndex={-1}>
          <Suspense fallback={<LoadingState label="Loading the page" />}>
            <CurrentPage />
          </Suspense>
        </main>
        {isSearching ? <CommandPalette onClose={() => setIsSearching(false)} /> : null}
      </SessionGate>
    </Notices>
  );
}

function skipToContent(event: { preventDefault: () => void }): void {
  event.preventDefault(); // the base of the page would lead the link elsewhere
  document.querySelector<HTMLElement>("#content")?.focus();
}

function CurrentPage(): ReactNode {
  const { path } = usePlace();
  const route = readRoute(path);
  switch (route.page) {
    case "runs":
      return <RunsPage />;
    case "run":
      return <RunPage key={route.runId} runId={route.runId} />;
    case "shard":
      return <ShardPage key={path} runId={route.runId} phase={route.phase} shard={route.shard} />;
    case "workers":
      return <WorkersPage />;
    case "templates":
      return <TemplatesPage />;
    case "new":
      return <NewRunPage />;
    case "unknown":
      return (
        <EmptyState title="There is no such page">
          <Link to="/">Go to the runs</Link>
        </EmptyState>
      );
  }
}
