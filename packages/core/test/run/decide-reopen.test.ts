import { describe, expect, test } from "vitest";
import { isEmptyDecision, type Trigger } from "../../src/run/run-state.ts";
import { artifactNamed, type PhaseSketch, storyOf, TestRun } from "./run-fixture.ts";

const skips = { onFailure: "skip_dependents" } as const;

describe("a retry by hand", () => {
  test("of a failed phase lets it carry on at the same revision while the run goes on", () => {
    const run = TestRun.started({ a: skips, b: {} });
    run.fail("a");
    run.nowMs += 1_000;
    const decision = run.reopen("a");
    expect(storyOf(decision)).toBe("phase_reopened a, resume_release a.r1");
    expect(decision.events[0]?.data).toEqual({ cause_phase: "a", status: "running" });
    expect(run.state.phases.get("a")).toEqual({ status: "running", revision: 0, started_at_ms: 2_000, making: [] });
  });

  test("of a shard while its phase still runs changes nothing", () => {
    const run = TestRun.started({ a: skips, b: {} });
    expect(isEmptyDecision(run.reopen("a"))).toBe(true);
  });

  test("may fail again, with the same consequences", () => {
    const run = TestRun.started({ a: skips, b: { after: ["a"] } });
    const first = run.fail("a");
    run.reopen("a");
    expect(run.fail("a")).toEqual(first);
  });

  test("of a phase whose failure was tolerated leaves alone what ran all the same", () => {
    const run = TestRun.started({ a: { onFailure: "continue", critical: false }, b: { after: ["a"] } });
    run.fail("a");
    run.succeed("b");
    expect(run.state.run).toMatchObject({ status: "succeeded", tolerated_failures: 1 });
    expect(storyOf(run.reopen("a"))).toBe("run_reopened a, phase_reopened a, resume_release a.r1");
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, phase_invalidated b, run_succeeded, finish_run");
    expect(run.state.run).toMatchObject({ status: "succeeded", tolerated_failures: 0 });
  });

  test.each(["pending", "skipped", "succeeded", "cancelled before it started"])(
    "of a phase that is %s changes nothing",
    (what) => {
      const run = TestRun.started({ a: skips, mend: { afterFailure: ["a"] }, abort: {}, wait: { after: ["abort"] } });
      run.succeed("a");
      if (what.startsWith("cancelled")) run.fail("abort");
      const phase = { pending: "wait", skipped: "mend", succeeded: "a" }[what] ?? "wait";
      expect(what).toContain(run.status(phase));
      expect(isEmptyDecision(run.reopen(phase))).toBe(true);
    },
  );

  test("is refused after a cancel, before and after the run's end", () => {
    const run = TestRun.started({ a: skips, b: {} });
    run.fail("a");
    run.cancel();
    expect(isEmptyDecision(run.reopen("a"))).toBe(true);
    run.drain("b");
    expect(run.state.run.status).toBe("cancelled");
    for (const phase of ["a", "b"]) expect(isEmptyDecision(run.reopen(phase))).toBe(true);
  });
});

describe("a retry by hand after the run has ended", () => {
  const sketches = { a: skips, b: { after: ["a"] }, c: { after: ["b"] } } satisfies Record<string, PhaseSketch>;

  test("takes the run back to running, and what was skipped because of the phase to pending", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    expect(run.state.run).toMatchObject({ status: "failed", finished_at_ms: 2_000 });
    const decision = run.reopen("a");
    expect(storyOf(decision)).toBe(
      "run_reopened a, phase_reopened a, phase_reopened b, phase_reopened c, resume_release a.r1",
    );
    expect(decision.events[0]?.data).toEqual({ actor: "test" });
    expect(run.state.run).toMatchObject({ status: "running", finished_at_ms: null });
    expect(run.state.phases.get("b")).toEqual({ status: "pending", revision: 0 });
    expect(run.state.unfinished).toBe(3);
  });

  test("goes on to the end with its success", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    run.reopen("a");
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, open_phase b.r1");
    run.succeed("b");
    run.nowMs = 7_000;
    expect(storyOf(run.succeed("c"))).toBe("phase_succeeded c, run_succeeded, finish_run");
    expect(run.state.run).toMatchObject({ status: "succeeded", started_at_ms: 2_000, finished_at_ms: 7_000 });
  });

  test("lets what runs always, and has run, be", () => {
    const run = TestRun.started({ ...sketches, clean: { afterEnd: ["c"] } });
    run.fail("a");
    run.succeed("clean");
    run.reopen("a");
    expect(run.statuses).toBe("a:running b:pending c:pending clean:succeeded");
  });
});

describe("a retry by hand of what a condition kept from starting", () => {
  const asks = { afterEnd: ["a"], condition: 'phases.a.status == "succeeded"' };
  const goesOn = { onFailure: "continue", critical: false } as const;

  test("asks a condition that made no sense again, and restores what needed the phase", () => {
    const run = TestRun.started({ p: { ...skips, condition: 'vars.GO == "yes"' }, next: { after: ["p"] }, mend: {} });
    expect(run.statuses).toBe("p:failed next:skipped mend:running");
    expect(storyOf(run.reopen("p"))).toBe("phase_reopened p, phase_reopened next, phase_failed p, phase_skipped next");
    run.succeed("mend");
    expect(storyOf(run.reopen("p"))).toContain("run_reopened p, phase_reopened p, phase_reopened next, phase_failed p");
    expect(run.state.run.status).toBe("failed");
  });

  test("lifts the abort that such a failure was", () => {
    const run = TestRun.started({
      a: goesOn,
      p: { afterEnd: ["a"], condition: "outputs.a.n > 1" },
      late: { after: ["p"] },
    });
    run.fail("a");
    expect(run.statuses).toBe("a:failed p:failed late:cancelled");
    expect(storyOf(run.reopen("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_reopened p, phase_reopened late, resume_release a.r1",
    );
    const artifacts = [{ ...artifactNamed("a"), inline: '{"n": 2}' }];
    const success: Trigger = { type: "phase_succeeded", ...run.ref("a"), artifacts, toleratedShards: 0 };
    expect(storyOf(run.apply(success))).toContain("open_phase p.r1");
  });

  test("puts a phase whose condition was false back to pending when a phase before it is retried", () => {
    const run = TestRun.started({ a: goesOn, p: asks, next: { after: ["p"] } });
    run.fail("a");
    expect(run.statuses).toBe("a:failed p:skipped next:skipped");
    const decision = run.reopen("a");
    expect(storyOf(decision)).toBe(
      "run_reopened a, phase_reopened a, phase_reopened p, phase_reopened next, resume_release a.r1",
    );
    expect(decision.events[2]?.data).toEqual({ cause_phase: "a", status: "pending" });
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, open_phase p.r1");
    expect(storyOf(run.succeed("p"))).toBe("phase_succeeded p, open_phase next.r1");
  });

  test("waits with the answer while a phase that the condition names is retried, however far before", () => {
    const run = TestRun.started({ a: goesOn, b: { after: ["a"] }, p: { ...asks, afterEnd: ["b"] } });
    run.fail("a");
    run.succeed("b");
    expect(run.cause("p")).toEqual({ code: "condition_false", phase: "p" });
    run.reopen("a");
    expect(run.statuses).toBe("a:running b:succeeded p:pending");
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, phase_invalidated b, open_phase p.r1");
  });

  test("does not concern a phase that is not after the retried one", () => {
    const run = TestRun.started({ a: goesOn, p: { condition: "false" } });
    run.fail("a");
    expect(storyOf(run.reopen("a"))).toBe("run_reopened a, phase_reopened a, resume_release a.r1");
  });
});

describe("a retry by hand after an abort", () => {
  const sketches = { a: {}, sibling: {}, late: { after: ["sibling"] }, last: { after: ["a", "late"] } };

  test("resumes what was cancelled on its way and restores what had not started", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    run.drain("sibling");
    expect(run.state.run.status).toBe("failed");
    expect(storyOf(run.reopen("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_reopened sibling, phase_reopened late, phase_reopened last, " +
        "resume_release a.r1, resume_release sibling.r1",
    );
    expect(run.state.run).toMatchObject({ status: "running", stop: null, stop_phase: null, stop_kills: false });
    expect(run.statuses).toBe("a:running sibling:running late:pending last:pending");
  });

  test("starts at once what can start", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    run.succeed("sibling");
    expect(storyOf(run.reopen("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_reopened late, phase_reopened last, " +
        "resume_release a.r1, open_phase late.r1",
    );
  });

  test("resumes phases that still run: the stop may have cancelled shards of theirs", () => {
    const run = TestRun.started(sketches);
    run.failShard("a");
    expect(storyOf(run.reopen("a"))).toBe(
      "phase_reopened late, phase_reopened last, resume_release a.r1, resume_release sibling.r1",
    );
  });

  test("of another phase that failed lets the run go on, and leaves cancelled what the first one aborted", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    run.fail("sibling");
    expect(storyOf(run.reopen("sibling"))).toBe(
      "run_reopened sibling, phase_reopened sibling, resume_release sibling.r1",
    );
    expect(storyOf(run.succeed("sibling"))).toBe("phase_succeeded sibling, run_failed, finish_run");
    expect(storyOf(run.reopen("a"))).toContain("open_phase late.r1");
  });

  test("of another phase, while the aborting one has not drained yet, restores what was cancelled until it fails", () => {
    const run = TestRun.started(sketches);
    run.failShard("a");
    expect(storyOf(run.reopen("sibling"))).toBe(
      "phase_reopened late, phase_reopened last, resume_release a.r1, resume_release sibling.r1",
    );
    expect(storyOf(run.fail("a"))).toBe(
      "phase_failed a, plan_aborted a, phase_cancelled late, phase_cancelled last, stop_release",
    );
  });
});

describe("two failed phases retried by hand", () => {
  const sketches = { a: skips, b: skips, both: { after: ["a", "b"] }, last: { after: ["both"] } };

  function failed(): TestRun {
    const run = TestRun.started(sketches);
    run.fail("a");
    run.fail("b");
    expect(run.cause("last")).toEqual({ code: "dependency_failed", phase: "a" });
    return run;
  }

  test("one after the other, in the order of their failures", () => {
    const run = failed();
    expect(storyOf(run.reopen("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_reopened both, phase_reopened last, " +
        "phase_skipped both, phase_skipped last, resume_release a.r1",
    );
    expect(run.cause("last")).toEqual({ code: "dependency_failed", phase: "b" });
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, run_failed, finish_run");
    run.reopen("b");
    expect(storyOf(run.succeed("b"))).toBe("phase_succeeded b, open_phase both.r1");
  });

  test("one after the other, in the other order", () => {
    const run = failed();
    expect(storyOf(run.reopen("b"))).toBe("run_reopened b, phase_reopened b, resume_release b.r1");
    expect(storyOf(run.succeed("b"))).toBe("phase_succeeded b, run_failed, finish_run");
    run.reopen("a");
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, open_phase both.r1");
  });

  test.each([["a", "b"] as const, ["b", "a"] as const])("together, %s first", (first, second) => {
    const run = failed();
    run.reopen(first);
    run.reopen(second);
    expect(run.statuses).toBe("a:running b:running both:pending last:pending");
    run.succeed(first);
    expect(storyOf(run.succeed(second))).toBe(`phase_succeeded ${second}, open_phase both.r1`);
  });
});

describe("what comes late, after a retry by hand", () => {
  test("the success of a phase that was given up re-opens it and the run", () => {
    const run = TestRun.started({ a: skips, b: { after: ["a"] }, any: { afterEnd: ["b"] } });
    run.fail("a");
    run.succeed("any");
    const decision = run.succeed("a");
    expect(storyOf(decision)).toBe(
      "run_reopened a, phase_reopened a, phase_reopened b, phase_succeeded a, resume_release a.r1, open_phase b.r1",
    );
    expect(decision.events[0]?.data).toEqual({ actor: "engine" });
  });

  test("the success of the last phase that was given up ends the run again, as its last event", () => {
    const run = TestRun.started({ a: skips });
    run.fail("a");
    expect(storyOf(run.succeed("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_succeeded a, run_succeeded, resume_release a.r1, finish_run",
    );
  });

  test("what starts because of such a success does so in declaration order", () => {
    const run = TestRun.started({
      a: {},
      second: { after: ["a"] },
      other: {},
      third: { after: ["other"] },
    });
    run.failShard("a");
    run.succeed("other");
    run.fail("a");
    expect(storyOf(run.succeed("a"))).toContain("open_phase second.r1, open_phase third.r1");
  });

  test("a second retry of a phase that has succeeded meanwhile does not run it again", () => {
    const run = TestRun.started({ a: skips, b: {} });
    run.fail("a");
    run.reopen("a");
    run.succeed("a");
    expect(isEmptyDecision(run.reopen("a"))).toBe(true);
  });

  test("a kill that drains a phase after the stop was lifted resumes it", () => {
    const run = TestRun.started({ a: {}, sibling: {} }, { cascades: true });
    run.fail("a");
    run.reopen("a");
    expect(storyOf(run.drain("sibling"))).toBe("resume_release sibling.r1");
    expect(run.status("sibling")).toBe("running");
  });

  describe("an abort because of a shard that is being tried again", () => {
    const sketches = { a: {}, sibling: {}, late: { after: ["sibling"] } };
    const lifted = "phase_reopened late, resume_release a.r1, resume_release sibling.r1";

    test("is lifted when the phase drains without a failure", () => {
      const run = TestRun.started(sketches);
      run.failShard("a");
      expect(storyOf(run.drain("a"))).toBe(lifted);
      expect(run.state.run.stop).toBeNull();
    });

    test("is lifted when the phase succeeds", () => {
      const run = TestRun.started(sketches);
      run.failShard("a");
      expect(storyOf(run.succeed("a"))).toBe(
        "phase_reopened late, phase_succeeded a, resume_release a.r1, resume_release sibling.r1",
      );
      expect(run.statuses).toBe("a:succeeded sibling:running late:pending");
    });
  });
});
