import type { ReactNode } from "react";
import { PhaseDetails } from "./phase-details.tsx";
import { useRunScope, useSelection } from "./run-context.tsx";
import { ShardDetails } from "./shard-details.tsx";

/** Details of what is chosen: a phase, or one of its shards. Nothing when nothing is chosen. */
export function DetailDrawer(): ReactNode {
  const { run } = useRunScope();
  const { phase, shard, select } = useSelection();
  const chosen = run.phases.find((item) => item.phase === phase);
  if (phase === null) return null;
  return (
    <aside className="drawer" aria-label="Details">
      <div className="drawer-head">
        <h2>
          {shard === null ? (
            phase
          ) : (
            <>
              <button type="button" className="link" onClick={() => select(phase)}>
                {phase}
              </button>
              [{shard}]
            </>
          )}
        </h2>
        <span className="push" />
        <button type="button" className="quiet" aria-label="Close details" onClick={() => select(null)}>
          ✕
        </button>
      </div>
      {chosen === undefined ? <p className="faint">The run has no such phase.</p> : null}
      {chosen !== undefined && shard === null ? <PhaseDetails key={phase} phase={chosen} /> : null}
      {chosen !== undefined && shard !== null ? (
        <ShardDetails key={`${phase} ${shard}`} phase={phase} shard={shard} />
      ) : null}
    </aside>
  );
}
