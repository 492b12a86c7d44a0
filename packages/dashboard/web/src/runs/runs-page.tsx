import type { RunListItem } from "@fanfold/schemas";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { useNow } from "../format/use-now.ts";
import { Link, navigate, useSearch } from "../routing/navigation.tsx";
import { runPath } from "../routing/route.ts";
import { LiveLabel } from "../shell/live-label.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { useKeys } from "../ui/use-key.ts";
import { RunRow } from "./run-row.tsx";
import { RunsFacets } from "./runs-facets.tsx";
import { isNarrowed, readFilter, type RunsFilter } from "./runs-filter.ts";
import { type LiveRuns, useRuns } from "./use-runs.ts";

/** All runs, newest first, live. */
export function RunsPage(): ReactNode {
  const [search] = useSearch();
  const filter = useMemo(() => readFilter(search), [search]);
  const live = useRuns(filter);
  const searchRef = useRef<HTMLInputElement>(null);
  const selected = useRowKeys(live.runs ?? [], searchRef);
  const offers = useOffers(live.runs);
  return (
    <div className="page runs-page">
      <div className="page-head">
        <h1>Runs</h1>
        <LiveLabel state={live.state} />
        <span className="push" />
        <Link to="/new" className="button primary">
          New run
        </Link>
      </div>
      <RunsFacets filter={filter} plans={offers.plans} tags={offers.tags} searchRef={searchRef} />
      {live.error === undefined ? null : <ErrorState error={live.error} onRetry={live.reload} />}
      <RunsTable live={live} filter={filter} selected={selected} />
    </div>
  );
}

interface TableProps {
  readonly live: LiveRuns;
  readonly filter: RunsFilter;
  readonly selected: number;
}

function RunsTable({ live, filter, selected }: TableProps): ReactNode {
  const { runs, error, loadMore, isLoading } = live;
  const nowMs = useNow(true);
  if (runs === undefined) return error === undefined ? <LoadingState label="Loading the runs" lines={8} /> : null;
  if (runs.length === 0) return isLoading ? <LoadingState label="Loading the runs" /> : <NoRuns filter={filter} />;
  return (
    <>
      <table className="runs-table" aria-label="Runs">
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Run</th>
            <th scope="col">Progress</th>
            <th scope="col">Time</th>
            <th scope="col">Tags</th>
            <th scope="col">Created</th>
            <th scope="col">
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, index) => (
            <RunRow
              key={run.run_id}
              run={run}
              nowMs={nowMs}
              isSelected={index === selected}
              onRemoved={() => live.drop(run.run_id)}
            />
          ))}
        </tbody>
      </table>
      {loadMore === undefined ? null : (
        <button type="button" className="load-more" onClick={loadMore} disabled={isLoading}>
          {isLoading ? "Loading…" : "Older runs"}
        </button>
      )}
    </>
  );
}

function NoRuns({ filter }: { readonly filter: RunsFilter }): ReactNode {
  if (isNarrowed(filter)) {
    return (
      <EmptyState title="No run is like that">
        <p>Take a filter away, or look further back.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No runs yet">
      <p>
        Start one here with <Link to="/new">a plan</Link>, or in a shell:
      </p>
      <pre>fanfold submit plan.yaml</pre>
    </EmptyState>
  );
}

/** j and k go down and up, Enter opens, / searches. */
function useRowKeys(runs: readonly RunListItem[], searchRef: { readonly current: HTMLInputElement | null }): number {
  const [at, setAt] = useState(-1);
  const go = (to: number): void => {
    const next = Math.min(Math.max(0, to), runs.length - 1);
    setAt(next);
    const runId = runs[next]?.run_id;
    if (runId !== undefined)
      document.querySelector(`[data-run="${CSS.escape(runId)}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const chosen = runs[at];
  useKeys({
    j: () => go(at + 1),
    k: () => go(at - 1),
    "/": () => searchRef.current?.focus(),
    ...(chosen === undefined ? {} : { Enter: () => navigate(runPath(chosen.run_id)) }),
  });
  return at;
}

/** Plans and tags seen since the page was opened: a filter does not take away what it could be changed to. */
function useOffers(runs: readonly RunListItem[] | undefined): { plans: readonly string[]; tags: readonly string[] } {
  const seen = useRef({ plans: new Set<string>(), tags: new Set<string>() });
  return useMemo(() => {
    for (const { plan_id: planId, tags } of runs ?? []) {
      seen.current.plans.add(planId);
      for (const tag of tags) seen.current.tags.add(tag);
    }
    return { plans: [...seen.current.plans].sort(), tags: [...seen.current.tags].sort() };
  }, [runs]);
}
