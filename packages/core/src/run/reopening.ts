import type { Cause, PhaseRecord } from "@fanfold/schemas";
import type { PlanGraph } from "../plan/plan-graph.ts";

/** Whether a retry has something to carry on: a phase that never started has nothing, nor has one that succeeded. */
export function hasBegun({ status, started_at_ms }: PhaseRecord): boolean {
  return status === "running" || status === "failed" || (status === "cancelled" && started_at_ms !== undefined);
}

/** Whether the limits of the run, or somebody, cancelled the phase before it could start. */
export function wasLeftOut({ status, cause }: PhaseRecord): boolean {
  return status === "cancelled" && (isLimit(cause) || cause?.code === "cancel_requested");
}

/** Whether a phase was cancelled by hand. */
export function wasRecalled(id: string, cause: Cause | undefined): boolean {
  return cause?.code === "cancel_requested" && cause.phase === id;
}

/** Whether it was the phase's own condition that kept it from starting: it was false, or made no sense. */
export function conditionDecided(id: string, { status, cause }: PhaseRecord): boolean {
  if (status === "failed") return cause?.code === "condition_failed";
  return status === "skipped" && cause?.code === "condition_false" && cause.phase === id;
}

/**
 * Phases that a retry of `culprit` brings back, in declaration order: those that did not run, or not to their end,
 * because of it or because of the limits of the run; those that their condition kept from starting, where it names
 * a phase that is brought back and so may decide otherwise now; and what did not run because of these.
 */
export function victimsOf(graph: PlanGraph, culprit: string, record: (id: string) => PhaseRecord): string[] {
  const victims = groupVictims(graph, record);
  const found = new Set(victims.get(LIMITS));
  const queue = [culprit, ...found];
  for (const id of queue) {
    const asked = graph.conditionReaders(id).filter((reader) => conditionDecided(reader, record(reader)));
    for (const victim of [...(victims.get(id) ?? []), ...asked]) {
      if (found.has(victim)) continue;
      found.add(victim);
      queue.push(victim);
    }
  }
  return graph.ids.filter((id) => found.has(id));
}

/** Stands for the limits of the run among culprits; no phase has an empty id. */
const LIMITS = "";

/** Phases that did not run, or not to their end, by the phase that was the reason. */
function groupVictims(graph: PlanGraph, record: (id: string) => PhaseRecord): Map<string, string[]> {
  const victims = new Map<string, string[]>();
  for (const id of graph.ids) {
    const { status, cause } = record(id);
    const culprit = isLimit(cause) ? LIMITS : cause?.phase;
    if ((status !== "skipped" && status !== "cancelled") || culprit === undefined || culprit === id) continue;
    // what lies between is blocked, and stays so
    if (cause?.code === "missing_dependency") continue;
    const group = victims.get(culprit) ?? [];
    group.push(id);
    victims.set(culprit, group);
  }
  return victims;
}

function isLimit(cause: Cause | undefined): boolean {
  return cause?.code === "run_timeout" || cause?.code === "budget_spent";
}
