import { assertNever } from "../core-error.ts";
import { advance } from "./advance.ts";
import { approvalTimedOut, approve } from "./answer-approval.ts";
import { DecisionDraft } from "./decision-draft.ts";
import { cancelIdle, phaseDrained, phaseSucceeded } from "./end-phase.ts";
import { endRunIfOver } from "./end-run.ts";
import { phaseFailed, shardFailed } from "./fail-phase.ts";
import { leaveOut } from "./leave-out.ts";
import { reopen } from "./reopen-phase.ts";
import { rerun } from "./rerun.ts";
import type { Decision, RunState, Trigger } from "./run-state.ts";
import { phasesSpawned } from "./spawn-phases.ts";
import { cancel, giveTime, timeOut } from "./stop-run.ts";
import { isRunOver, moveRun } from "./transitions.ts";

/**
 * Decides what a trigger means for a run: which phases start, are skipped or cancelled, whether the run
 * ends, what to write in the journal and what to do outside. Pure, and idempotent: a trigger that has
 * already had its effect gives an empty decision. (Only `phase_drained` of a phase that goes on asks for
 * the same release again, and so do `reopen` of a phase whose condition fails once more, and of one whose run is
 * aborted once more in the same decision.) A trigger may come late, after what it tells of was retried by hand.
 *
 * @param nowMs time of the decision, Unix ms
 * @throws {CoreError} when the trigger asks for an illegal move
 */
export function decide(state: RunState, trigger: Trigger, nowMs: number): Decision {
  return decideTogether(state, [trigger], nowMs);
}

/**
 * Decides what several triggers mean that happened in this order, as {@link decide} does one after another: only the
 * phases that start do so when all of them have had their effect.
 *
 * @param nowMs time of the decision, Unix ms
 * @throws {CoreError} when one of them asks for an illegal move
 */
export function decideTogether(state: RunState, triggers: readonly Trigger[], nowMs: number): Decision {
  const draft = new DecisionDraft(state, nowMs);
  for (const trigger of triggers) handle(draft, trigger);
  advance(draft);
  endRunIfOver(draft);
  draft.countApprovals();
  return draft.decision;
}

function handle(draft: DecisionDraft, trigger: Trigger): void {
  switch (trigger.type) {
    case "start":
      return start(draft);
    case "phase_succeeded":
      return phaseSucceeded(draft, trigger);
    case "phase_failed":
      return phaseFailed(draft, trigger);
    case "phase_drained":
      return phaseDrained(draft, trigger);
    case "shard_failed":
      return shardFailed(draft, trigger.phase, trigger.revision, trigger.why);
    case "cancel":
      return cancel(draft, trigger.actor);
    case "cancel_phase":
      return cancelIdle(draft, trigger.phase, trigger.actor);
    case "pause":
      return pause(draft, trigger.actor);
    case "resume":
      return resume(draft, trigger.actor);
    case "timeout":
      return timeOut(draft, trigger.atMs);
    case "budget_spent":
      return draft.noteCost(trigger.costUsd);
    case "spawned":
      return phasesSpawned(draft, trigger);
    case "approve":
      return approve(draft, trigger);
    case "approval_timeout":
      return approvalTimedOut(draft, trigger);
    case "reopen":
      return reopen(draft, trigger.phase, trigger.actor);
    case "rerun":
      return rerun(draft, trigger);
    default:
      return assertNever(trigger, "trigger");
  }
}

function start(draft: DecisionDraft): void {
  if (draft.runNow.status !== "queued") return;
  draft.changeRun({ status: moveRun(draft.state.run.run_id, "queued", "running"), started_at_ms: draft.nowMs });
  draft.emit({ event: "run_started" });
  giveTime(draft);
  leaveOut(draft);
  draft.affects(draft.state.graph.ids);
}

function pause(draft: DecisionDraft, actor: string): void {
  const run = draft.runNow;
  if (isRunOver(run.status) || run.paused) return;
  draft.changeRun({ paused: true });
  draft.emit({ event: "run_paused", data: { actor } });
  draft.ask({ kind: "pause_release" });
}

function resume(draft: DecisionDraft, actor: string): void {
  if (!draft.runNow.paused) return;
  draft.changeRun({ paused: false });
  draft.emit({ event: "run_resumed", data: { actor } });
  draft.ask({ kind: "resume_run" });
}
