import { lazy, type ReactNode, Suspense, useEffect, useMemo } from "react";
import { ArtifactsView } from "../artifacts/artifacts-view.tsx";
import { useSearch } from "../routing/navigation.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { type Tab, Tabs } from "../ui/tabs.tsx";
import { useKeys } from "../ui/use-key.ts";
import { DetailDrawer } from "./detail-drawer.tsx";
import { EventsView } from "./events-view.tsx";
import { PhasesView } from "./phases-view.tsx";
import { RunContext, useRunScope, useSelection } from "./run-context.tsx";
import { RunHeader } from "./run-header.tsx";
import { useRun } from "./use-run.ts";

const loadGraph = () => import("../graph/graph-view.tsx");
const loadTimeline = () => import("../timeline/timeline-view.tsx");
const loadLineage = () => import("../lineage/lineage-view.tsx");
const GraphView = lazy(() => loadGraph().then((module) => ({ default: module.GraphView })));
const TimelineView = lazy(() => loadTimeline().then((module) => ({ default: module.TimelineView })));
const LineageView = lazy(() => loadLineage().then((module) => ({ default: module.LineageView })));

const VIEWS: readonly Tab[] = [
  { id: "graph", title: "Graph" },
  { id: "timeline", title: "Timeline" },
  { id: "phases", title: "Phases" },
  { id: "events", title: "Events" },
  { id: "artifacts", title: "Artifacts" },
  { id: "lineage", title: "Lineage" },
];

/** A run: its graph, timeline and phases, kept in step by one selection, and a drawer with details. */
export function RunPage({ runId }: { readonly runId: string }): ReactNode {
  const live = useRun(runId);
  useEarlyView();
  const { run, error, feed, reload } = live;
  const scope = useMemo(() => (run === undefined ? null : { run, feed, reload }), [run, feed, reload]);
  if (scope === null) {
    return (
      <div className="page">
        {error === undefined ? (
          <LoadingState label="Loading the run" lines={8} />
        ) : (
          <ErrorState error={error} onRetry={reload} />
        )}
      </div>
    );
  }
  return (
    <RunContext value={scope}>
      <div className="page run-page">
        <RunHeader run={scope.run} state={live.state} reload={reload} />
        {error === undefined ? null : <ErrorState error={error} />}
        <RunViews />
      </div>
    </RunContext>
  );
}

/** Loads the code of the view while the run itself is on its way. */
function useEarlyView(): void {
  const [search] = useSearch();
  const view = search.get("view") ?? "graph";
  useEffect(() => {
    const load = view === "graph" ? loadGraph : view === "timeline" ? loadTimeline : undefined;
    load?.().catch(() => undefined); // whoever shows the view tells of it
  }, [view]);
}

function RunViews(): ReactNode {
  const { run } = useRunScope();
  const [search, change] = useSearch();
  const { phase, shard, artifact, select } = useSelection();
  const view = VIEWS.find(({ id }) => id === search.get("view"))?.id ?? "graph";
  const step = (by: number): void => {
    const at = run.phases.findIndex((item) => item.phase === phase);
    const next = run.phases[Math.min(Math.max(0, at + by), run.phases.length - 1)];
    if (next !== undefined) select(next.phase);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Escape: () => (artifact === null ? select(shard === null ? null : phase) : select(phase, shard)),
    g: () => change({ view: "graph" }),
    t: () => change({ view: "timeline" }),
    p: () => change({ view: "phases" }),
    "/": () => document.querySelector<HTMLInputElement>(".run-body input[type=search]")?.focus(),
  });
  return (
    <>
      <Tabs label="Views of the run" tabs={VIEWS} selected={view} onSelect={(id) => change({ view: id })} />
      <div className={`run-body ${phase === null ? "" : "has-drawer"}`}>
        <div className="run-view" role="tabpanel" aria-label={view}>
          <Suspense fallback={<LoadingState label={`Loading the ${view}`} />}>
            <View view={view} />
          </Suspense>
        </div>
        <DetailDrawer />
      </div>
    </>
  );
}

function View({ view }: { readonly view: string }): ReactNode {
  switch (view) {
    case "graph":
      return <GraphView />;
    case "timeline":
      return <TimelineView />;
    case "phases":
      return <PhasesView />;
    case "events":
      return <EventsView phase={null} shard={null} />;
    case "artifacts":
      return <ArtifactsView phase={null} />;
    case "lineage":
      return <LineageView />;
    default:
      return <EmptyState title="There is no such view" />;
  }
}
