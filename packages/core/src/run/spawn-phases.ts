import type { DecisionDraft } from "./decision-draft.ts";
import type { RunState, Trigger } from "./run-state.ts";

/** Whether what a phase spawns in the making of a revision may start: it runs, and its run was not stopped. */
export function maySpawn({ run, phases }: Pick<RunState, "run" | "phases">, phase: string, revision: number): boolean {
  const record = phases.get(phase);
  return run.stop === null && record?.status === "running" && record.revision + 1 === revision;
}

/** Starts the phases that an attempt spawned; the plan of the draft has them already. */
export function phasesSpawned(draft: DecisionDraft, trigger: Trigger & { type: "spawned" }): void {
  const { graph, phases } = draft.state;
  if (!maySpawn({ run: draft.runNow, phases }, trigger.phase, trigger.revision)) return;
  for (const id of trigger.children) {
    const by = phases.get(id)?.status === "pending" ? graph.phase(id).spawned : undefined;
    if (by === undefined) continue;
    const { phase, revision, shard, attempt, key, depth, copy_of, reason } = by;
    const spawner = { spawner: phase, spawner_revision: revision, spawner_shard: shard, spawner_attempt: attempt };
    const data = { ...spawner, key, depth, copy_of, ...(reason === undefined ? {} : { reason }) };
    draft.emit({ event: "phase_spawned", phase: id, data });
    draft.affects([id]);
  }
}
