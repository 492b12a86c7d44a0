import type { CompiledPlan, RunRecord } from "@fanfold/schemas";

/** Record of a run that nothing has happened to yet. */
export function newRun(runId: string, plan: CompiledPlan, nowMs: number): RunRecord {
  return {
    run_id: runId,
    plan_id: plan.plan_id,
    plan_version: plan.version,
    status: "queued",
    // above every version that an earlier run of this id had: what was decided on that one is refused here
    version: nowMs * 1000,
    stop: null,
    stop_phase: null,
    stop_kills: false,
    paused: false,
    cascades: plan.cancellation === "cascading",
    tolerated_failures: 0,
    plan_revision: 0,
    turn: 0,
    created_at_ms: nowMs,
    started_at_ms: null,
    finished_at_ms: null,
  };
}
