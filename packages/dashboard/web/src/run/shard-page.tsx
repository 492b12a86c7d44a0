import { type ReactNode, useMemo } from "react";
import { Link } from "../routing/navigation.tsx";
import { runPath, shardPath } from "../routing/route.ts";
import { LiveLabel } from "../shell/live-label.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { RunContext, useSelection } from "./run-context.tsx";
import { ArtifactDetails } from "../artifacts/artifact-details.tsx";
import { ShardDetails } from "./shard-details.tsx";
import { useRun } from "./use-run.ts";

interface ShardPageProps {
  readonly runId: string;
  readonly phase: string;
  readonly shard: number;
}

/** A shard on a page of its own: where Bull Board links to, and the most room for its log. */
export function ShardPage({ runId, phase, shard }: ShardPageProps): ReactNode {
  const { run, feed, reload, error, state } = useRun(runId);
  const { artifact } = useSelection();
  const scope = useMemo(() => (run === undefined ? null : { run, feed, reload }), [run, feed, reload]);
  if (scope === null) {
    return (
      <div className="page">
        {error === undefined ? (
          <LoadingState label="Loading the shard" />
        ) : (
          <ErrorState error={error} onRetry={reload} />
        )}
      </div>
    );
  }
  const phasePath = `${runPath(runId)}?view=phases&phase=${encodeURIComponent(phase)}`;
  return (
    <RunContext value={scope}>
      <div className="page shard-page">
        <p className="crumbs">
          <Link to="/">Runs</Link> / <Link to={runPath(runId)}>{runId}</Link> / <Link to={phasePath}>{phase}</Link>
        </p>
        <div className="page-head">
          <h1>
            {artifact === null ? null : <Link to={shardPath(runId, phase, shard)}>← </Link>}
            {phase}[{shard}]
          </h1>
          <LiveLabel state={state} />
        </div>
        {artifact === null ? <ShardDetails phase={phase} shard={shard} isPage /> : <ArtifactDetails id={artifact} />}
      </div>
    </RunContext>
  );
}
