import type { RunRecord } from "@fanfold/schemas";
import { isApproval } from "./approval.ts";
import { askForApproval } from "./ask-approval.ts";
import type { DecisionDraft } from "./decision-draft.ts";
import { conditionDecided, hasBegun, victimsOf, wasLeftOut, wasRecalled } from "./reopening.ts";
import { isBudgetSpent } from "./run-limits.ts";
import { giveTime } from "./stop-run.ts";
import { isRunOver, moveRun } from "./transitions.ts";

/** A retry by hand: the phase carries on, and so does everything that had not run because of it. */
export function reopen(draft: DecisionDraft, phase: string, actor: string): void {
  const run = draft.runNow;
  const record = draft.record(phase);
  if (run.stop === "cancel" || !(hasBegun(record) || wasLeftOut(record))) return;
  carryRunOn(draft, { phase, actor });
  const wasKeptOut = wasRecalled(phase, record.cause) && !hasBegun(record);
  if (wasKeptOut || conditionDecided(phase, record)) restore(draft, phase, phase);
  else if (hasBegun(record) && draft.record(phase).status !== "running") resumePhase(draft, phase, phase);
  restoreBecauseOf(draft, phase);
}

/** A run that is over, or was stopped, goes on. @param because.phase phase that is retried; null when it is a rerun */
export function carryRunOn(draft: DecisionDraft, because: { phase: string | null; actor: string }): void {
  const run = draft.runNow;
  if (isRunOver(run.status)) reopenRun(draft, run, because);
  if (isRunOver(run.status) || run.stop === "timeout") giveTime(draft);
  if (isBudgetSpent(draft.state.plan, run, draft.costUsd)) draft.changeRun({ budget_from_usd: draft.costUsd });
  if (run.stop !== null) liftStop(draft);
}

function reopenRun(
  draft: DecisionDraft,
  run: RunRecord,
  { phase, actor }: { phase: string | null; actor: string },
): void {
  draft.changeRun({
    status: moveRun(draft.state.run.run_id, run.status, "running"),
    started_at_ms: run.started_at_ms ?? draft.nowMs,
    finished_at_ms: null,
  });
  draft.emit({ event: "run_reopened", ...(phase === null ? {} : { phase }), data: { actor } });
}

/** Lets the run go on, and with it the running phases, of which the stop held back or cancelled shards. */
function liftStop(draft: DecisionDraft): void {
  const { stop_phase } = draft.runNow;
  draft.changeRun({ stop: null, stop_phase: null, stop_kills: false });
  for (const id of draft.state.graph.ids) if (draft.record(id).status === "running") resumeRelease(draft, id);
  // it has not failed yet; once it does, the run is aborted again
  if (stop_phase !== null && draft.record(stop_phase).status === "running") restoreBecauseOf(draft, stop_phase);
}

function restoreBecauseOf(draft: DecisionDraft, culprit: string): void {
  for (const id of victimsOf(draft.state.graph, culprit, (of) => draft.record(of))) {
    if (draft.record(id).started_at_ms !== undefined) resumePhase(draft, id, culprit);
    else restore(draft, id, culprit);
  }
}

/** A phase that never started waits again, and its condition is asked again. */
function restore(draft: DecisionDraft, id: string, culprit: string): void {
  draft.move(id, "pending", {});
  draft.emit({ event: "phase_reopened", phase: id, data: { cause_phase: culprit, status: "pending" } });
  draft.affects([id]);
}

function resumePhase(draft: DecisionDraft, phase: string, culprit: string): void {
  draft.move(phase, "running", {});
  draft.emit({ event: "phase_reopened", phase, data: { cause_phase: culprit, status: "running" } });
  resumeRelease(draft, phase);
}

/** Asks that the shards of a running phase which a stop held back or cancelled go on. */
export function resumeRelease(draft: DecisionDraft, phase: string): void {
  if (isApproval(draft.state.graph.phase(phase))) return askForApproval(draft, phase);
  draft.ask({ kind: "resume_release", phase, revision: draft.record(phase).revision + 1 });
}
