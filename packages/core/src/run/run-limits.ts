import type { CompiledPlan, RunRecord, StopReason } from "@fanfold/schemas";
import type { Decision, RunState } from "./run-state.ts";
import { isRunOver } from "./transitions.ts";

/** When a run that has its whole time from now on will have had it; undefined when its time is not limited. */
export function timeLimitOf(
  { timeout_sec }: Pick<CompiledPlan, "timeout_sec">,
  nowMs: number,
): { delay_ms: number; at_ms: number } | undefined {
  if (timeout_sec === null) return undefined;
  const delayMs = Math.max(1, Math.round(timeout_sec * 1000));
  return { delay_ms: delayMs, at_ms: nowMs + delayMs };
}

/**
 * Whether a run has spent its budget. A budget counts from `budget_from_usd`: a retry by hand of a run that had
 * spent it gives it anew. What costs nothing is in any budget. `commit_decision.lua` of the store checks the same.
 *
 * @param costUsd what the attempts of the run have cost so far
 */
export function isBudgetSpent(
  { cost_budget_usd }: Pick<CompiledPlan, "cost_budget_usd">,
  { budget_from_usd = 0 }: RunRecord,
  costUsd: number,
): boolean {
  const spentUsd = costUsd - budget_from_usd;
  return cost_budget_usd !== null && spentUsd > 0 && spentUsd >= cost_budget_usd;
}

/** A budget that a decision takes to be not spent: by a cost of `limitUsd` more than `fromUsd` it would be. */
export interface UnspentBudget {
  readonly limitUsd: number;
  readonly fromUsd: number;
}

/** The budget that a decision relies on; undefined when its run is over or stopped by it, or has no budget. */
export function reliedOnBudget({ plan, run }: RunState, decision: Decision): UnspentBudget | undefined {
  const after = { ...run, ...decision.run };
  if (plan.cost_budget_usd === null || after.stop !== null || isRunOver(after.status)) return undefined;
  return { limitUsd: plan.cost_budget_usd, fromUsd: after.budget_from_usd ?? 0 };
}

/** A spent budget as a sentence. */
export function whyBudgetSpent(
  { cost_budget_usd }: Pick<CompiledPlan, "cost_budget_usd">,
  { budget_from_usd = 0 }: RunRecord,
  costUsd: number,
): string {
  const since = budget_from_usd > 0 ? `, ${costUsd - budget_from_usd} USD of it since its retry` : "";
  return `the run has cost ${costUsd} USD${since}, its budget is ${cost_budget_usd} USD`;
}

/** Whether a stop comes from the run's own limits. */
export function isOwnLimit(stop: StopReason | null): boolean {
  return stop === "timeout" || stop === "budget";
}
