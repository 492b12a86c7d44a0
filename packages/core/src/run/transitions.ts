import type { PhaseStatus, RunStatus } from "@fanfold/schemas";
import { CoreError } from "../core-error.ts";

/** Legal moves of a phase. Only a retry or a rerun leaves a terminal state. */
const PHASE_MOVES: Readonly<Record<PhaseStatus, readonly PhaseStatus[]>> = {
  pending: ["blocked", "running", "failed", "skipped", "cancelled"],
  blocked: ["pending"],
  running: ["succeeded", "failed", "cancelled"],
  succeeded: ["running", "pending"],
  failed: ["running", "pending"],
  skipped: ["pending"],
  cancelled: ["pending", "running"],
};

/** Legal moves of a run. Only a retry or a rerun leaves a terminal state. */
const RUN_MOVES: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  queued: ["running", "failed", "cancelled"],
  running: ["succeeded", "failed", "cancelled"],
  succeeded: ["running"],
  failed: ["running"],
  cancelled: ["running"],
};

/** Whether a phase in this state is over, short of a retry or rerun. */
export function isPhaseOver(status: PhaseStatus): boolean {
  return status !== "pending" && status !== "running";
}

/** Whether a run in this state is over, short of a retry or rerun. */
export function isRunOver(status: RunStatus): boolean {
  return status !== "queued" && status !== "running";
}

/**
 * Lets a phase move, or refuses.
 *
 * @throws {CoreError} ILLEGAL_TRANSITION when the move is not one of the machine's
 */
export function movePhase(phase: string, from: PhaseStatus, to: PhaseStatus): PhaseStatus {
  if (!PHASE_MOVES[from].includes(to)) {
    throw new CoreError("ILLEGAL_TRANSITION", `phase ${phase} cannot go from ${from} to ${to}`);
  }
  return to;
}

/**
 * Lets a run move, or refuses.
 *
 * @throws {CoreError} ILLEGAL_TRANSITION when the move is not one of the machine's
 */
export function moveRun(runId: string, from: RunStatus, to: RunStatus): RunStatus {
  if (!RUN_MOVES[from].includes(to)) {
    throw new CoreError("ILLEGAL_TRANSITION", `run ${runId} cannot go from ${from} to ${to}`);
  }
  return to;
}
