import { describe, expect, test } from "vitest";
import { isEmptyDecision } from "../../src/run/run-state.ts";
import { storyOf, TestRun } from "./run-fixture.ts";

const pause = { type: "pause", actor: "test" } as const;
const resume = { type: "resume", actor: "test" } as const;

describe("a pause", () => {
  test("takes back what was released, and a resume releases again, each once", () => {
    const run = TestRun.started({ a: {} });
    expect(storyOf(run.apply(pause))).toBe("run_paused, pause_release");
    expect(isEmptyDecision(run.apply(pause))).toBe(true);
    expect(storyOf(run.apply(resume))).toBe("run_resumed, resume_run");
    expect(isEmptyDecision(run.apply(resume))).toBe(true);
  });

  test("lets phases settle and others be opened", () => {
    const run = TestRun.started({ a: {}, b: { after: ["a"] } });
    run.apply(pause);
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, open_phase b.r1");
  });

  test("ends with the run, and does not begin after it", () => {
    const run = TestRun.started({ a: {} });
    run.apply(pause);
    run.succeed("a");
    expect(run.state.run).toMatchObject({ status: "succeeded", paused: false });
    expect(isEmptyDecision(run.apply(pause))).toBe(true);
  });
});

const sketches = { a: {}, b: { after: ["a"] }, c: { afterEnd: ["a"] }, other: {} };

/** Cancels `a`, which runs, by hand. */
function recall(run: TestRun): string {
  return storyOf(run.apply({ type: "phase_drained", ...run.ref("a"), isRecalled: true }));
}

describe("a phase cancelled by hand", () => {
  test("is cancelled with nothing but what needs its success, and counts as failed", () => {
    const run = TestRun.started(sketches);
    expect(recall(run)).toBe("phase_cancelled a, phase_skipped b, open_phase c.r1");
    expect(recall(run)).toBe("");
    expect(run.cause("b")).toEqual({ code: "cancel_requested", phase: "a" });
    run.succeed("c");
    run.succeed("other");
    expect(run.state.run.status).toBe("failed");
  });

  test("does not fail the run when its failure is tolerated", () => {
    const run = TestRun.started({ a: { critical: false, onFailure: "continue" } });
    recall(run);
    expect(run.state.run).toMatchObject({ status: "succeeded", tolerated_failures: 1 });
  });

  test("is carried on by a retry, with all that was skipped for it", () => {
    const run = TestRun.started(sketches);
    recall(run);
    expect(storyOf(run.reopen("a"))).toBe("phase_reopened a, phase_reopened b, resume_release a.r1");
    expect(run.statuses).toBe("a:running b:pending c:running other:running");
  });

  test("is cancelled at once while it is pending, and a retry lets it start", () => {
    const run = TestRun.started(sketches);
    expect(storyOf(run.apply({ type: "cancel_phase", phase: "b", actor: "test" }))).toBe("phase_cancelled b");
    expect(isEmptyDecision(run.apply({ type: "cancel_phase", phase: "b", actor: "test" }))).toBe(true);
    run.reopen("b");
    expect(run.status("b")).toBe("pending");
    expect(storyOf(run.succeed("a"))).toContain("open_phase b.r1");
  });

  test("is not what happens to one that runs, or to a run that is over", () => {
    const run = TestRun.started({ a: {} });
    expect(isEmptyDecision(run.apply({ type: "cancel_phase", phase: "a", actor: "test" }))).toBe(true);
  });
});
