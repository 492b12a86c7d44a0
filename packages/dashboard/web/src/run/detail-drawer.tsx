import type { ReactNode } from "react";
import { ArtifactDetails } from "../artifacts/artifact-details.tsx";
import type { PhaseDetail } from "../api/shapes.ts";
import { PhaseDetails } from "./phase-details.tsx";
import { useRunScope, useSelection } from "./run-context.tsx";
import { ShardDetails } from "./shard-details.tsx";

/** Details of what is chosen: a phase, one of its shards, or an artifact of either. Nothing when nothing is chosen. */
export function DetailDrawer(): ReactNode {
  const { run } = useRunScope();
  const { phase, shard, artifact, select } = useSelection();
  const chosen = run.phases.find((item) => item.phase === phase);
  if (phase === null) return null;
  return (
    <aside className="drawer" aria-label="Details">
      <div className="drawer-head">
        <h2>
          <DrawerTitle phase={phase} shard={shard} artifact={artifact} />
        </h2>
        <span className="push" />
        <button type="button" className="quiet" aria-label="Close details" onClick={() => select(null)}>
          ✕
        </button>
      </div>
      {chosen === undefined ? <p className="faint">The run has no such phase.</p> : null}
      {chosen === undefined ? null : <Chosen phase={chosen} shard={shard} artifact={artifact} />}
    </aside>
  );
}

function Chosen({ phase, shard, artifact }: Place<PhaseDetail>): ReactNode {
  if (artifact !== null) return <ArtifactDetails key={artifact} id={artifact} />;
  if (shard === null) return <PhaseDetails key={phase.phase} phase={phase} />;
  return <ShardDetails key={`${phase.phase} ${shard}`} phase={phase.phase} shard={shard} />;
}

interface Place<Phase> {
  readonly phase: Phase;
  readonly shard: number | null;
  readonly artifact: string | null;
}

/** What is chosen, with the way back to what it is a part of. */
function DrawerTitle({ phase, shard, artifact }: Place<string>): ReactNode {
  const { select } = useSelection();
  const isPart = shard !== null || artifact !== null;
  return (
    <>
      {isPart ? (
        <button type="button" className="link" onClick={() => select(phase)}>
          {phase}
        </button>
      ) : (
        phase
      )}
      {shard === null ? null : artifact === null ? (
        `[${shard}]`
      ) : (
        <button type="button" className="link" onClick={() => select(phase, shard)}>
          [{shard}]
        </button>
      )}
      {artifact === null ? null : " / artifact"}
    </>
  );
}
