import type { Cause } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";
import { awaitsApproval } from "./approval.ts";
import { cancelPhase, leaveOut } from "./leave-out.ts";
import { isBudgetSpent, timeLimitOf, whyBudgetSpent } from "./run-limits.ts";
import { isRunOver } from "./transitions.ts";

/** Stops the run because of a phase; what runs is killed only where the run cascades. The first stop counts. */
export function abort(draft: DecisionDraft, phase: string, why: string): void {
  if (draft.runNow.stop !== null) return;
  const cascades = draft.state.run.cascades;
  draft.changeRun({ stop: "abort", stop_phase: phase, stop_kills: cascades });
  draft.emit({ event: "plan_aborted", phase, data: { why } });
  stopEverything(draft, cascades);
}

/** Stops the run because somebody said so: this takes the place of any other stop. */
export function cancel(draft: DecisionDraft, actor: string): void {
  const run = draft.runNow;
  if (isRunOver(run.status) || run.stop === "cancel") return;
  draft.changeRun({ stop: "cancel", stop_phase: null, stop_actor: actor, stop_kills: true });
  stopEverything(draft, true);
}

/** Stops the run because it has had its time. @param atMs the end that was set, Unix ms; outdated ones have no effect */
export function timeOut(draft: DecisionDraft, atMs: number | undefined): void {
  const run = draft.runNow;
  if (isRunOver(run.status) || run.stop === "cancel" || run.stop === "timeout") return;
  // the run was given more time since this was set
  if (atMs !== undefined && run.timeout_at_ms !== undefined && run.timeout_at_ms !== atMs) return;
  if (run.status === "queued") leaveOut(draft);
  draft.changeRun({ stop: "timeout", stop_phase: null, stop_kills: true });
  draft.emit({ event: "plan_aborted", data: { why: `the run took longer than ${draft.state.plan.timeout_sec} s` } });
  if (run.stop_phase !== null) blameLimitFor(draft, run.stop_phase);
  stopEverything(draft, true);
}

/** The time limit takes the place of an abort whose phase may yet do well: what that cancelled is left out by the limit. */
function blameLimitFor(draft: DecisionDraft, aborter: string): void {
  if (draft.record(aborter).status !== "running") return;
  for (const id of draft.state.graph.ids) {
    const record = draft.record(id);
    const isVictim = record.status === "cancelled" && record.cause?.phase === aborter;
    if (isVictim) draft.blame(id, stopCause(draft));
  }
}

/** Whether the run goes on and has spent its budget. */
export function exceedsBudget(draft: DecisionDraft): boolean {
  const run = draft.runNow;
  return !isRunOver(run.status) && run.stop === null && isBudgetSpent(draft.state.plan, run, draft.costUsd);
}

/** Stops the run because its budget is spent: what runs goes on to its end. */
export function stopAtBudget(draft: DecisionDraft): void {
  if (draft.runNow.status === "queued") leaveOut(draft);
  draft.changeRun({ stop: "budget", stop_phase: null, stop_kills: false });
  const why = whyBudgetSpent(draft.state.plan, draft.runNow, draft.costUsd);
  draft.emit({ event: "plan_aborted", data: { why } });
  stopEverything(draft, false);
}

function stopEverything(draft: DecisionDraft, kill: boolean): void {
  for (const id of draft.state.graph.ids) {
    const record = draft.record(id);
    if (record.status === "pending" || awaitsApproval(record)) cancelPhase(draft, id, stopCause(draft));
  }
  draft.ask({ kind: "stop_release", kill });
}

/** The stop of the run as the reason why a phase was cancelled. */
export function stopCause(draft: DecisionDraft): Cause {
  const { stop, stop_phase } = draft.runNow;
  if (stop === "timeout") return { code: "run_timeout" };
  if (stop === "budget") return { code: "budget_spent" };
  if (stop !== "abort" || stop_phase === null) return { code: "cancel_requested" };
  return { code: "plan_aborted", phase: stop_phase };
}

/** The run has its whole time from now on. */
export function giveTime(draft: DecisionDraft): void {
  const limit = timeLimitOf(draft.state.plan, draft.nowMs);
  if (limit === undefined) return;
  draft.changeRun({ timeout_at_ms: limit.at_ms });
  draft.ask({ kind: "schedule_timeout", ...limit });
}
