import { reliedOnBudget } from "@fanfold/core";
import type { Artifact, Effect, PhaseLedger } from "@fanfold/schemas";
import type { PhaseRef } from "@fanfold/store";
import { carryOut } from "./carry-out.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { workerStepOf } from "./worker-step.ts";

/** A phase whose outputs were folded. */
export interface FoldedPhase {
  readonly ref: PhaseRef;
  readonly artifacts: readonly Artifact[];
  /** How its shards stood when they were folded. */
  readonly counts: PhaseLedger;
}

/**
 * Settles a phase in the worker that has folded it, once the fold is on record. What is more than a step of a worker is
 * left to the phase's settle job, which a scheduler runs after the aggregate; otherwise that finds nothing left to do.
 *
 * May be repeated, and may die at any point: what was committed and not carried out is in the outbox.
 */
export async function settleFolded(
  workings: EngineWorkings,
  runId: string,
  { ref, artifacts, counts }: FoldedPhase,
): Promise<void> {
  const { store, states, clock } = workings;
  const done = { artifacts, toleratedShards: counts.failed, reusedShards: counts.reused ?? 0 };
  let effects: readonly Effect[] = [];
  const isSettled = await states.applyBy(
    runId,
    () => [{ type: "phase_succeeded", ...ref, ...done }],
    async (state, decision) => {
      if (workerStepOf(state, decision) === undefined) return undefined;
      // a run that was not cancelled has nothing to clear away
      effects = decision.effects.filter(({ kind }) => kind !== "finish_run");
      const on = { version: state.run.version, budget: reliedOnBudget(state, decision) };
      return store.runs.commit(runId, on, { ...decision, effects }, clock.nowMs());
    },
  );
  if (isSettled) await carryOut(workings, runId, effects);
}
