import type { PhaseRecord } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";
import { awaitsApproval } from "./approval.ts";
import { cancelPhase } from "./leave-out.ts";
import { reopen, resumeRelease } from "./reopen-phase.ts";
import type { Trigger } from "./run-state.ts";
import { followRevision } from "./staleness.ts";
import { stopCause } from "./stop-run.ts";
import { isRunOver } from "./transitions.ts";

/** The outputs of a phase are in: a new revision of them. */
export function phaseSucceeded(draft: DecisionDraft, trigger: Trigger & { type: "phase_succeeded" }): void {
  const record = draft.record(trigger.phase);
  if (record.revision >= trigger.revision) return;
  const { stop, stop_phase } = draft.runNow;
  if (record.status !== "running" && stop === "cancel") return;
  // it was retried by hand while it was given up, or while the run was aborted because of it
  if (record.status !== "running" || stop_phase === trigger.phase) reopen(draft, trigger.phase, "engine");
  draft.move(trigger.phase, "succeeded", { revision: trigger.revision, artifacts: [...trigger.artifacts] });
  draft.amend(trigger.phase, ({ making = [], stale: _stale, afresh: _afresh, ...kept }) => ({
    ...kept,
    dependencies: making,
  }));
  for (const { name, sha256, size_bytes } of trigger.artifacts) {
    const data = { name, sha256, size_bytes, revision: trigger.revision };
    draft.emit({ event: "artifact_persisted", phase: trigger.phase, data });
  }
  const { toleratedShards: tolerated_shards, reusedShards: reused_shards = 0 } = trigger;
  const data = {
    ...phaseData(draft, record, trigger.revision),
    tolerated_shards,
    ...(reused_shards > 0 ? { reused_shards } : {}),
  };
  draft.emit({ event: "phase_succeeded", phase: trigger.phase, data });
  followRevision(draft, trigger.phase);
  draft.affectsWhatWaits(trigger.phase);
}

/** Nothing of a running phase is at work any more, and it is neither done nor failed: it was stopped, or cancelled. */
export function phaseDrained(
  draft: DecisionDraft,
  { phase, revision, isRecalled = false, actor }: Trigger & { type: "phase_drained" },
): void {
  const record = draft.record(phase);
  if (record.status !== "running" || record.revision >= revision) return;
  // what asks a person has nothing at work, and goes on waiting
  if (awaitsApproval(record)) return;
  const { stop, stop_phase } = draft.runNow;
  if (stop === null && isRecalled) giveUp(draft, phase, actor);
  // the stop that cancelled its shards has been lifted
  else if (stop === null) resumeRelease(draft, phase);
  // the run was aborted because of it, and yet nothing of it has failed: it was retried by hand meanwhile
  else if (stop_phase === phase) reopen(draft, phase, "engine");
  else cancelPhase(draft, phase, stopCause(draft));
}

/** Cancels a phase by hand of which nothing is at work: it has not started, or waits for an approval. */
export function cancelIdle(draft: DecisionDraft, phase: string, actor: string): void {
  if (isRunOver(draft.runNow.status)) return;
  const record = draft.record(phase);
  if (record.status === "pending" || awaitsApproval(record)) giveUp(draft, phase, actor);
}

/** A phase that somebody cancelled: what needs its success is skipped. */
function giveUp(draft: DecisionDraft, phase: string, actor: string | undefined): void {
  cancelPhase(draft, phase, { code: "cancel_requested", phase }, actor);
  draft.affectsWhatWaits(phase);
}

function phaseData(
  draft: DecisionDraft,
  before: PhaseRecord,
  revision: number,
): { revision: number; duration_ms: number } {
  return { revision, duration_ms: draft.nowMs - (before.started_at_ms ?? draft.nowMs) };
}
