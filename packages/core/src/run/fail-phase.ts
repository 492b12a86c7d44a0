import type { Cause, CompiledPhase } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";
import type { Trigger } from "./run-state.ts";
import { followLoss } from "./staleness.ts";
import { abort } from "./stop-run.ts";

/** A failed phase that its author declared harmless does not fail the run. */
export function isTolerated(phase: CompiledPhase): boolean {
  return !phase.critical && phase.on_failure === "continue";
}

/** Whether the failure of a phase ends the run at once. */
function abortsRun(phase: CompiledPhase): boolean {
  return phase.critical && phase.on_failure === "abort";
}

/** The work of a running phase has failed for good. */
export function phaseFailed(draft: DecisionDraft, trigger: Trigger & { type: "phase_failed" }): void {
  const record = draft.record(trigger.phase);
  if (record.status !== "running" || record.revision >= trigger.revision) return;
  if (trigger.cause.code === "merge_rejected") {
    const data = { error_code: "MERGE_REJECTED", why: trigger.cause.message ?? "" };
    draft.emit({ event: "artifact_rejected", phase: trigger.phase, data });
  }
  fail(draft, trigger.phase, trigger.cause, trigger.failedShards);
  draft.affectsWhatWaits(trigger.phase);
}

/** A phase fails, and where its author wants that, the run stops with it. */
export function fail(draft: DecisionDraft, id: string, cause: Cause, failedShards: number): void {
  const phase = draft.state.graph.phase(id);
  const why = cause.message ?? cause.code;
  draft.move(id, "failed", { cause });
  const data = { error_code: cause.code, why, failed_shards: failedShards, tolerated: isTolerated(phase) };
  draft.emit({ event: "phase_failed", phase: id, data });
  followLoss(draft, id);
  if (abortsRun(phase)) abort(draft, id, why);
}

/** A shard of a running phase has failed for good: a phase that aborts the run does so before its last shard is in. */
export function shardFailed(draft: DecisionDraft, phase: string, revision: number, why: string): void {
  const record = draft.record(phase);
  if (record.status !== "running" || record.revision >= revision) return;
  if (abortsRun(draft.state.graph.phase(phase))) abort(draft, phase, why);
}
