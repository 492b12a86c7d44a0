import type { ReactNode } from "react";
import type { RunDetail } from "../api/shapes.ts";
import { phaseTitle } from "../format/phase-title.ts";
import { Link } from "../routing/navigation.tsx";
import { runPath, shardPath } from "../routing/route.ts";
import { StatusIcon } from "../ui/status-icon.tsx";
import { useRunScope, useSelection } from "./run-context.tsx";

interface Child {
  readonly phase: string;
  readonly why: string;
}

/** Phases that a phase or a shard spawned, with how they stand; nothing where there are none. */
export function SpawnedList({ items }: { readonly items: readonly Child[] }): ReactNode {
  const { run } = useRunScope();
  if (items.length === 0) return null;
  const statuses = new Map(run.phases.map(({ phase, status }) => [phase, status]));
  return (
    <ul className="spawned" aria-label="Spawned phases">
      {items.map(({ phase, why }) => {
        const status = statuses.get(phase) ?? "pending";
        return (
          <li key={phase}>
            <StatusIcon status={status} />
            <span>
              spawned <PhaseLink phase={phase} /> ({status})<span className="faint"> {why}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function PhaseLink({ phase }: { readonly phase: string }): ReactNode {
  const { run } = useRunScope();
  return (
    <Link to={`${runPath(run.run_id)}?phase=${encodeURIComponent(phase)}`} title={phase}>
      {phaseTitle(phase)}
    </Link>
  );
}

/** Who spawned a phase, and why; nothing for a phase of the plan. */
export function SpawnedBy({ phase }: { readonly phase: string }): ReactNode {
  const { run } = useRunScope();
  const { select } = useSelection();
  const by = run.spawned.find((item) => item.phase === phase);
  if (by === undefined) return null;
  return (
    <p className="spawned-by">
      <StatusIcon status="spawned" />
      <span>
        Spawned by{" "}
        <Link
          to={shardPath(run.run_id, by.by_phase, by.by_shard)}
          onClick={(event) => {
            event.preventDefault();
            select(by.by_phase, by.by_shard);
          }}
        >
          {by.by_phase}[{by.by_shard}]
        </Link>
        , attempt {by.by_attempt}
        {by.reason === null ? "" : `: ${by.reason}`}
      </span>
    </p>
  );
}

/** What the shards of a phase spawned. */
export function childrenOf(run: RunDetail, phase: string): Child[] {
  return run.spawned
    .filter(({ by_phase: by }) => by === phase)
    .map(({ phase: child, by_shard: shard, by_attempt: attempt, reason }) => ({
      phase: child,
      why: `by [${shard}], attempt ${attempt}${reason === null ? "" : `: ${reason}`}`,
    }));
}

/** How many phases a phase that runs waits for because it spawned them. */
export function countAwaited(run: RunDetail, phase: RunDetail["phases"][number]): number {
  if (phase.status !== "running") return 0;
  const open = new Set(run.phases.flatMap((item) => (OPEN.has(item.status) ? [item.phase] : [])));
  return run.spawned.filter((item) => item.by_phase === phase.phase && open.has(item.phase)).length;
}

const OPEN: ReadonlySet<string> = new Set(["pending", "running"]);
