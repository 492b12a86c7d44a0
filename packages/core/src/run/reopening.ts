import type { Cause, PhaseRecord } from "@fanfold/schemas";
import type { PlanGraph } from "../plan/plan-graph.ts";

/** Whether a retry has something to carry on: a phase that never started has nothing, nor has one that succeeded. */
export function hasBegun({ status, started_at_ms }: PhaseRecord): boolean {
  return status === "running" || status === "failed" || (status === "cancelled" && started_at_ms !== undefined);
}

/** Whether the limits of the run cut it short before the phase could start. */
export function wasLeftOut({ status, cause }: PhaseRecord): boolean {
  return status === "cancelled" && isLimit(cause);
}

/** Whether it was the phase's own condition that kept it from starting: it was false, or made no sense. */
export function conditionDecided(id: string, { status, cause }: PhaseRecord): boolean {
  if (status === "failed") return cause?.code === "condition_failed";
  return status === "skipped" && cause?.code === "condition_false" && cause.phase === id;
}

/**
 * Phases that a retry of `culprit` brings back, in declaration order: those that did not run, or not to their end,
 * because of it or because of the limits of the run; those after it whose condition kept them from starting, for it
 * may decide otherwise now; and what did not run because of these.
 */
export function victimsOf(graph: PlanGraph, culprit: string, record: (id: string) => PhaseRecord): string[] {
  const isVictimOf = (id: string, culprits: ReadonlySet<string>): boolean => {
    const { status, cause } = record(id);
    return (status === "skipped" || status === "cancelled") && isBecauseOf(cause, culprits);
  };
  const culprits = new Set([culprit]);
  const direct = graph.ids.filter((id) => isVictimOf(id, culprits));
  const later = graph.descendants([culprit, ...direct]);
  const asked = new Set(graph.ids.filter((id) => later.has(id) && conditionDecided(id, record(id))));
  if (asked.size === 0) return direct;
  for (const id of asked) culprits.add(id);
  return graph.ids.filter((id) => asked.has(id) || isVictimOf(id, culprits));
}

function isBecauseOf(cause: Cause | undefined, culprits: ReadonlySet<string>): boolean {
  return isLimit(cause) || (cause?.phase !== undefined && culprits.has(cause.phase));
}

function isLimit(cause: Cause | undefined): boolean {
  return cause?.code === "run_timeout" || cause?.code === "budget_spent";
}
