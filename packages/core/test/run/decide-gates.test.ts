import { describe, expect, test } from "vitest";
import { isEmptyDecision } from "../../src/run/run-state.ts";
import { type PhaseSketch, storyOf, TestRun } from "./run-fixture.ts";

const skips = { onFailure: "skip_dependents" } as const;

describe("the condition of a phase", () => {
  const gated = { a: {}, p: { after: ["a"], condition: 'vars.GO == "yes"' }, next: { after: ["p"] } };

  test("that holds lets it start", () => {
    const run = TestRun.started(gated, { variables: { GO: "yes" } });
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, open_phase p.r1");
  });

  test("that does not hold skips it and what needs it, and the run succeeds", () => {
    const run = TestRun.started(gated, { variables: { GO: "no" } });
    expect(storyOf(run.succeed("a"))).toBe(
      "phase_succeeded a, phase_skipped p, phase_skipped next, run_succeeded, finish_run",
    );
    for (const id of ["p", "next"]) expect(run.cause(id)).toEqual({ code: "condition_false", phase: "p" });
  });

  test("that does not hold lets what runs always start", () => {
    const run = TestRun.started({ p: { condition: "false" }, clean: { afterEnd: ["p"] } });
    expect(run.statuses).toBe("p:skipped clean:running");
  });

  test.each<{ policy: PhaseSketch; story: string }>([
    {
      policy: {},
      story:
        "phase_succeeded a, phase_failed p, plan_aborted p, phase_cancelled next, phase_cancelled mend, " +
        "run_failed, stop_release, finish_run",
    },
    { policy: skips, story: "phase_succeeded a, phase_failed p, phase_skipped next, open_phase mend.r1" },
    {
      policy: { onFailure: "continue", critical: false },
      story: "phase_succeeded a, phase_failed p, open_phase next.r1, open_phase mend.r1",
    },
  ])("that makes no sense fails it, as its policy $policy says", ({ policy, story }) => {
    const run = TestRun.started({ ...gated, p: { ...gated.p, ...policy }, mend: { afterFailure: ["p"] } });
    const decision = run.succeed("a");
    expect(storyOf(decision)).toBe(story);
    const why = expect.stringContaining('condition vars.GO == "yes" cannot be evaluated');
    expect(run.cause("p")).toEqual({ code: "condition_failed", message: why });
    expect(decision.events[1]?.data).toMatchObject({ error_code: "condition_failed", why, failed_shards: 0 });
  });

  test("is asked only once its dependencies are over, and sees how they ended", () => {
    const run = TestRun.started({ a: skips, p: { afterEnd: ["a"], condition: 'phases.a.status == "failed"' } });
    expect(run.status("p")).toBe("pending");
    expect(storyOf(run.fail("a"))).toBe("phase_failed a, open_phase p.r1");
  });

  test("that aborts the run lets nothing start with it", () => {
    const run = new TestRun({ early: {}, p: { condition: "1 / 0 == 1" } });
    expect(storyOf(run.start())).toBe(
      "run_started, phase_failed p, plan_aborted p, phase_cancelled early, run_failed, stop_release, finish_run",
    );
  });
});

describe("a phase that takes no part", () => {
  const out = { takesPart: false };

  test("is skipped at the start, and nothing waits for it that can do without", () => {
    const run = new TestRun({ out, p: { softAfter: ["out"] }, other: {} });
    expect(storyOf(run.start())).toBe("run_started, phase_skipped out, open_phase p.r1, open_phase other.r1");
    expect(run.cause("out")).toEqual({ code: "not_selected" });
  });

  test("blocks what cannot do without it, which names all that is missing", () => {
    const run = new TestRun({ p: { after: ["x", "here", "y"], softAfter: ["z"] }, here: {}, x: out, y: out, z: out });
    const decision = run.start();
    expect(storyOf(decision)).toBe(
      "run_started, phase_skipped x, phase_skipped y, phase_skipped z, phase_blocked p, open_phase here.r1",
    );
    const data = { error_code: "missing_dependency", missing: ["x", "y"] };
    expect(decision.events).toContainEqual({ event: "phase_blocked", phase: "p", data });
    expect(run.cause("p")).toEqual({
      code: "missing_dependency",
      phase: "x",
      message: expect.stringContaining("needs x, y,"),
    });
    expect(storyOf(run.succeed("here"))).toBe("phase_succeeded here, run_failed, finish_run");
  });

  test("skips what needs a blocked phase, with its cause, and starts what runs always", () => {
    const run = new TestRun({ x: out, p: { after: ["x"] }, next: { after: ["p"] }, clean: { afterEnd: ["p"] } });
    expect(storyOf(run.start())).toBe(
      "run_started, phase_skipped x, phase_blocked p, phase_skipped next, open_phase clean.r1",
    );
    expect(run.cause("next")).toEqual(run.cause("p"));
  });

  test("leaves a run that has nothing else to do failed at once", () => {
    const run = new TestRun({ x: out, p: { after: ["x"] } });
    expect(storyOf(run.start())).toBe("run_started, phase_skipped x, phase_blocked p, run_failed, finish_run");
    expect(run.state.unfinished).toBe(0);
  });

  test.each(["x", "p"])("cannot be retried by hand, nor can what it blocks: %s", (phase) => {
    const run = TestRun.started({ x: out, p: { after: ["x"] } });
    expect(isEmptyDecision(run.reopen(phase))).toBe(true);
  });
});
