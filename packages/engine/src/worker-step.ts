import type { Decision, RunState } from "@fanfold/core";
import type { Effect } from "@fanfold/schemas";
import { isDirect, type PhaseOpening } from "@fanfold/store";
import { UNSHARDED } from "./expand-phase.ts";
import { openingOf } from "./open-phase.ts";

/** A decision without the effects that are had in the same step: the phases that are opened. */
export interface WorkerStep {
  readonly decision: Decision;
  readonly openings: readonly PhaseOpening[];
}

/** A decision as one step of a worker; undefined when it asks for more than that. */
export function workerStepOf(state: RunState, decision: Decision): WorkerStep | undefined {
  // what is spent meanwhile stops the run: that is for whoever sees the cost as it is
  if (state.plan.cost_budget_usd !== null) return undefined;
  const openings: PhaseOpening[] = [];
  const left: Effect[] = [];
  for (const effect of decision.effects) {
    if (effect.kind === "finish_run" && decision.run.status !== "cancelled") continue;
    if (effect.kind !== "open_phase") {
      if (!LIGHT.has(effect.kind)) return undefined;
      left.push(effect);
      continue;
    }
    const definition = state.graph.phase(effect.phase);
    const record = decision.phases.get(effect.phase);
    if (!isDirect(definition) || definition.shard !== null || record === undefined) return undefined;
    const isPlain = definition.lock === null && definition.reuse === undefined && record.turn === undefined;
    const ref = { phase: effect.phase, revision: effect.revision };
    const started = { ref, definition, record, order: state.graph.index(effect.phase) };
    if (isPlain) openings.push(openingOf(started, UNSHARDED));
    else left.push(effect);
  }
  return { decision: { ...decision, effects: left }, openings };
}

/** Effects that a worker carries out itself: a few commands each. */
const LIGHT: ReadonlySet<Effect["kind"]> = new Set([
  "release_lock",
  "resume_spawner",
  "schedule_timeout",
  "schedule_approval_timeout",
]);
