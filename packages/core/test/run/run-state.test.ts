import { describe, expect, test } from "vitest";
import {
  applyDecision,
  type Decision,
  initialRunState,
  isEmptyDecision,
  phaseRecord,
  restoreRunState,
} from "../../src/run/run-state.ts";
import { plannedOf, queuedRun } from "./run-fixture.ts";

const planned = plannedOf({ a: {}, b: {}, c: {} });
const nothing: Decision = { run: {}, phases: new Map(), revisions: new Map(), events: [], effects: [] };

describe("the state of a run", () => {
  test("starts with every phase pending, in declaration order", () => {
    const state = initialRunState(planned, queuedRun());
    expect([...state.phases]).toEqual(["a", "b", "c"].map((id) => [id, { status: "pending", revision: 0 }]));
    expect(state.unfinished).toBe(3);
  });

  test("is restored from the records there are; the others are pending", () => {
    const stored = new Map([
      ["c", { status: "running" as const, revision: 0 }],
      ["a", { status: "succeeded" as const, revision: 1 }],
    ]);
    const state = restoreRunState(planned, queuedRun(), stored);
    expect([...state.phases]).toEqual([
      ["a", { status: "succeeded", revision: 1 }],
      ["b", { status: "pending", revision: 0 }],
      ["c", { status: "running", revision: 0 }],
    ]);
    expect(state.unfinished).toBe(2);
  });

  test("ignores a stored phase that the plan does not have", () => {
    const state = restoreRunState(planned, queuedRun(), new Map([["z", { status: "running", revision: 0 }]]));
    expect([...state.phases.keys()]).toEqual(["a", "b", "c"]);
    expect(state.unfinished).toBe(3);
  });

  test("throws for a phase it does not have", () => {
    const state = initialRunState(planned, queuedRun());
    expect(() => phaseRecord(state, "z")).toThrow(expect.objectContaining({ code: "UNKNOWN_PHASE" }));
    expect(() => phaseRecord(state, "z")).toThrow("run run has no phase z");
  });
});

describe("taking over a decision", () => {
  test("puts its records in place and keeps count of what is unfinished", () => {
    const before = restoreRunState(planned, queuedRun(), new Map([["a", { status: "skipped", revision: 0 }]]));
    const decision: Decision = {
      ...nothing,
      run: { status: "running", started_at_ms: 5 },
      phases: new Map([
        ["a", { status: "pending", revision: 0 }],
        ["b", { status: "failed", revision: 0 }],
        ["c", { status: "running", revision: 0, started_at_ms: 5 }],
      ]),
    };
    const after = applyDecision(before, decision, 7);
    expect(after.run).toEqual({ ...queuedRun(), status: "running", started_at_ms: 5, version: 7 });
    expect(Object.fromEntries(after.phases)).toEqual(Object.fromEntries(decision.phases));
    expect(after.unfinished).toBe(2);
  });

  test("of nothing changes only the version", () => {
    const before = initialRunState(planned, queuedRun());
    expect(applyDecision(before, nothing, 1)).toEqual({ ...before, run: { ...before.run, version: 1 } });
  });
});

test("a decision is empty when it changes nothing, says nothing and asks for nothing", () => {
  expect(isEmptyDecision(nothing)).toBe(true);
  expect(isEmptyDecision({ ...nothing, run: { stop: null } })).toBe(false);
  expect(isEmptyDecision({ ...nothing, phases: new Map([["a", { status: "running", revision: 0 }]]) })).toBe(false);
  expect(isEmptyDecision({ ...nothing, events: [{ event: "run_started" }] })).toBe(false);
  expect(isEmptyDecision({ ...nothing, effects: [{ kind: "finish_run" }] })).toBe(false);
});
