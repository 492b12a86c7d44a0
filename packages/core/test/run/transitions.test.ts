import type { PhaseStatus, RunStatus } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { CoreError } from "../../src/core-error.ts";
import { isPhaseOver, isRunOver, movePhase, moveRun } from "../../src/run/transitions.ts";

const PHASE_STATUSES = ["pending", "blocked", "running", "succeeded", "failed", "skipped", "cancelled"] as const;
const RUN_STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;

const LEGAL_PHASE_MOVES: Readonly<Record<PhaseStatus, string>> = {
  pending: "blocked running failed skipped cancelled",
  blocked: "pending",
  running: "succeeded failed cancelled",
  succeeded: "pending running",
  failed: "pending running",
  skipped: "pending",
  cancelled: "pending running",
};

const LEGAL_RUN_MOVES: Readonly<Record<RunStatus, string>> = {
  queued: "running failed cancelled",
  running: "succeeded failed cancelled",
  succeeded: "running",
  failed: "running",
  cancelled: "running",
};

/** The targets that a move accepts, in the order of `all`; it must refuse every other one as illegal. */
function accepted<Status extends string>(all: readonly Status[], move: (to: Status) => Status): string {
  return all.filter((to) => outcomeOf(() => move(to)) !== "ILLEGAL_TRANSITION").join(" ");
}

function outcomeOf(move: () => string): string {
  try {
    return move();
  } catch (error) {
    if (error instanceof CoreError) return error.code;
    throw error;
  }
}

describe("a phase", () => {
  test.each(PHASE_STATUSES)("that is %s makes its legal moves and no other", (from) => {
    expect(accepted(PHASE_STATUSES, (to) => movePhase("p", from, to))).toBe(LEGAL_PHASE_MOVES[from]);
  });

  test("is told by name when it cannot move", () => {
    expect(() => movePhase("compile", "pending", "succeeded")).toThrow(
      "phase compile cannot go from pending to succeeded",
    );
  });

  test("is over unless it is pending or running", () => {
    expect(PHASE_STATUSES.filter(isPhaseOver)).toEqual(["blocked", "succeeded", "failed", "skipped", "cancelled"]);
  });
});

describe("a run", () => {
  test.each(RUN_STATUSES)("that is %s makes its legal moves and no other", (from) => {
    expect(accepted(RUN_STATUSES, (to) => moveRun("r", from, to))).toBe(LEGAL_RUN_MOVES[from]);
  });

  test("is told by name when it cannot move", () => {
    expect(() => moveRun("run_1", "queued", "succeeded")).toThrow("run run_1 cannot go from queued to succeeded");
  });

  test("is over unless it is queued or running", () => {
    expect(RUN_STATUSES.filter(isRunOver)).toEqual(["succeeded", "failed", "cancelled"]);
  });
});
