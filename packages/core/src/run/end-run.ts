import type { PhaseRecord } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";
import { isTolerated } from "./fail-phase.ts";
import { wasRecalled } from "./reopening.ts";
import { leaveAsItIs } from "./rerun.ts";
import { isOwnLimit } from "./run-limits.ts";
import { stopCause } from "./stop-run.ts";
import { isRunOver, moveRun } from "./transitions.ts";

const EVENT_OF_END = {
  succeeded: "run_succeeded",
  failed: "run_failed",
  cancelled: "run_cancelled",
} as const;

/** Ends a run in which no phase is pending or running any more. */
export function endRunIfOver(draft: DecisionDraft): void {
  const run = draft.runNow;
  if (isRunOver(run.status) || draft.unfinished > 0) return;
  // a stop may have kept a phase from being asked whether it has to run again
  for (const id of draft.state.graph.ids) if (draft.record(id).if_stale === true) leaveAsItIs(draft, id);
  const failed = draft.state.graph.ids.filter((id) => isFailure(id, draft.record(id)));
  const harmful = failed.filter((id) => !isTolerated(draft.state.graph.phase(id)));
  const hasLeftOut = draft.state.graph.ids.some((id) => isLeftOut(id, draft.record(id)));
  const status = run.stop === "cancel" ? "cancelled" : harmful.length > 0 || hasLeftOut ? "failed" : "succeeded";
  const tolerated = failed.length - harmful.length;
  draft.changeRun({
    status: moveRun(draft.state.run.run_id, run.status, status),
    finished_at_ms: draft.nowMs,
    tolerated_failures: tolerated,
    ...(run.paused ? { paused: false } : {}),
  });
  const durationMs = draft.nowMs - (run.started_at_ms ?? run.created_at_ms);
  draft.emit({
    event: EVENT_OF_END[status],
    data: {
      duration_ms: durationMs,
      tolerated_failures: tolerated,
      failed_phases: failed,
      ...(status === "cancelled" && run.stop_actor !== undefined ? { actor: run.stop_actor } : {}),
      ...(hasLeftOut && isOwnLimit(run.stop) ? { cause: stopCause(draft).code } : {}),
    },
  });
  draft.ask({ kind: "finish_run" });
}

/** A phase that was cancelled by hand counts as failed. */
function isFailure(id: string, { status, cause }: PhaseRecord): boolean {
  return status === "failed" || status === "blocked" || (status === "cancelled" && wasRecalled(id, cause));
}

/** Whether a phase was cancelled together with others, because the run was stopped. */
function isLeftOut(id: string, { status, cause }: PhaseRecord): boolean {
  return status === "cancelled" && !wasRecalled(id, cause);
}
