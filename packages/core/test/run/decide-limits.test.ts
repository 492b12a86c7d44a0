import { describe, expect, test } from "vitest";
import { isEmptyDecision } from "../../src/run/run-state.ts";
import { storyOf, TestRun } from "./run-fixture.ts";

const sketches = { a: {}, sibling: {}, late: { after: ["sibling"] } };

describe("the time of a run", () => {
  test.each([
    { timeout_sec: 90, delay_ms: 90_000 },
    { timeout_sec: 0.0001, delay_ms: 1 },
  ])("of $timeout_sec s is set when it starts", ({ timeout_sec, delay_ms }) => {
    const { effects } = new TestRun({ a: {} }, { timeout_sec }).start();
    expect(effects).toEqual([
      { kind: "schedule_timeout", delay_ms, at_ms: 2_000 + delay_ms },
      { kind: "open_phase", phase: "a", revision: 1 },
    ]);
  });
});

const LIMITS = [
  {
    what: "time",
    spend: (run: TestRun) => run.timeOut(),
    stop: "timeout",
    kills: true,
    effect: "stop_release kill",
    code: "run_timeout",
    why: "the run took longer than 90 s",
  },
  {
    what: "budget",
    spend: (run: TestRun) => run.spendBudget(2.5),
    stop: "budget",
    kills: false,
    effect: "stop_release",
    code: "budget_spent",
    why: "the run has cost 2.5 USD, its budget is 2 USD",
  },
] as const;

describe.each(LIMITS)("a run that has used up its $what", ({ spend, stop, kills, effect, code, why }) => {
  const started = () => TestRun.started(sketches, { timeout_sec: 90, cost_budget_usd: 2 });

  test("starts nothing more, and says why", () => {
    const run = started();
    const decision = spend(run);
    expect(storyOf(decision)).toBe(`plan_aborted, phase_cancelled late, ${effect}`);
    expect(decision.events[0]).toEqual({ event: "plan_aborted", data: { why } });
    expect(run.cause("late")).toEqual({ code });
    expect(run.state.run).toMatchObject({ status: "running", stop, stop_phase: null, stop_kills: kills });
  });

  test("ends as failed once what runs has drained or succeeded", () => {
    const run = started();
    spend(run);
    expect(storyOf(run.drain("a"))).toBe("phase_cancelled a");
    expect(run.cause("a")).toEqual({ code });
    const decision = run.succeed("sibling");
    expect(storyOf(decision)).toBe("phase_succeeded sibling, run_failed, finish_run");
    expect(decision.events.at(-1)?.data).toMatchObject({ failed_phases: [], cause: code });
  });

  test("carries on with all that it cut short after a retry by hand, with a whole limit again", () => {
    const run = started();
    spend(run);
    run.drain("sibling");
    run.fail("a");
    expect(run.state.run.status).toBe("failed");
    run.nowMs = 500_000;
    expect(storyOf(run.reopen("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_reopened sibling, phase_reopened late, " +
        "schedule_timeout, resume_release a.r1, resume_release sibling.r1",
    );
    expect(run.state.run).toMatchObject({ status: "running", stop: null, timeout_at_ms: 590_000 });
    expect(storyOf(run.succeed("sibling"))).toBe("phase_succeeded sibling, open_phase late.r1");
  });

  test("succeeds when nothing was left out: what ran went well all the same", () => {
    const run = started();
    run.succeed("a");
    run.succeed("sibling");
    spend(run);
    const decision = run.succeed("late");
    expect(storyOf(decision)).toBe("phase_succeeded late, run_succeeded, finish_run");
    expect(decision.events.at(-1)?.data).not.toHaveProperty("cause");
  });

  test("before it was started is over, and starts what takes part in it after a retry", () => {
    const out = { takesPart: false };
    const run = new TestRun({ ...sketches, out, needs: { after: ["out"] } }, { timeout_sec: 90, cost_budget_usd: 2 });
    expect(storyOf(spend(run))).toContain("phase_cancelled late, run_failed");
    expect(run.statuses).toBe("a:cancelled sibling:cancelled late:cancelled out:skipped needs:blocked");
    expect(isEmptyDecision(run.start())).toBe(true);
    run.reopen("a");
    expect(run.statuses).toBe("a:running sibling:running late:pending out:skipped needs:blocked");
    expect(run.state.run.started_at_ms).toBe(2_000);
  });

  test.each(["over", "cancelled"])("but is %s changes nothing", (what) => {
    const run = started();
    if (what === "cancelled") run.cancel();
    else for (const id of ["a", "sibling", "late"]) run.succeed(id);
    expect(isEmptyDecision(spend(run))).toBe(true);
  });

  test("is cancelled when someone cancels it then", () => {
    const run = started();
    spend(run);
    expect(storyOf(run.cancel())).toBe("stop_release kill");
    run.drain("a");
    expect(storyOf(run.drain("sibling"))).toBe("phase_cancelled sibling, run_cancelled, finish_run");
  });
});

describe("the time of a run that was retried", () => {
  test("counts from the retry: what was set before has no effect", () => {
    const run = TestRun.started({ a: { onFailure: "skip_dependents" } }, { timeout_sec: 90 });
    run.fail("a");
    run.nowMs = 60_000;
    expect(run.reopen("a").effects).toContainEqual({ kind: "schedule_timeout", delay_ms: 90_000, at_ms: 150_000 });
    expect(isEmptyDecision(run.timeOut(92_000))).toBe(true);
    expect(storyOf(run.timeOut(150_000))).toBe("plan_aborted, stop_release kill");
  });

  test("goes on while the run does", () => {
    const run = TestRun.started({ a: { onFailure: "skip_dependents" }, b: {} }, { timeout_sec: 90 });
    run.fail("a");
    expect(storyOf(run.reopen("a"))).toBe("phase_reopened a, resume_release a.r1");
    expect(run.state.run.timeout_at_ms).toBe(92_000);
  });

  test("that ends it in place of an abort leaves out what the abort had cancelled", () => {
    const run = TestRun.started({ a: {}, late: { after: ["a"] } }, { timeout_sec: 90 });
    run.failShard("a");
    run.timeOut();
    expect(run.cause("late")).toEqual({ code: "run_timeout" });
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, run_failed, finish_run");
    expect(storyOf(run.reopen("late"))).toContain("open_phase late.r1");
  });
});

describe("the cost of a run", () => {
  const chain = { a: {}, b: { after: ["a"] }, mend: { afterFailure: ["a"] } };

  function costing(costUsd: number, budgetUsd = 2): TestRun {
    const run = TestRun.started(chain, { cost_budget_usd: budgetUsd });
    run.state = { ...run.state, run: { ...run.state.run, cost_usd: costUsd } };
    return run;
  }

  test("that reaches the budget with a phase lets nothing start after it", () => {
    expect(storyOf(costing(2).succeed("a"))).toBe(
      "phase_succeeded a, phase_skipped mend, plan_aborted, phase_cancelled b, run_failed, stop_release, finish_run",
    );
  });

  test("that reaches the budget with the last phase does not matter", () => {
    const run = costing(1);
    run.succeed("a");
    run.state = { ...run.state, run: { ...run.state.run, cost_usd: 3 } };
    expect(storyOf(run.succeed("b"))).toBe("phase_succeeded b, run_succeeded, finish_run");
  });

  test("below the budget changes nothing", () => {
    const run = costing(1.9);
    expect(isEmptyDecision(run.spendBudget(1.9))).toBe(true);
    expect(storyOf(run.succeed("a"))).toContain("open_phase b.r1");
  });

  test("may be nothing in a budget of 0", () => {
    expect(storyOf(costing(0, 0).succeed("a"))).toContain("open_phase b.r1");
    expect(storyOf(costing(0.1, 0).succeed("a"))).toContain("plan_aborted");
  });

  test("counts anew from the retry of a run that had spent its budget", () => {
    const run = costing(2);
    run.succeed("a");
    expect(run.state.run.status).toBe("failed");
    expect(storyOf(run.reopen("b"))).toBe("run_reopened b, phase_reopened b, open_phase b.r1");
    expect(isEmptyDecision(run.spendBudget(3.9))).toBe(true);
    const why = "the run has cost 4 USD, 2 USD of it since its retry, its budget is 2 USD";
    expect(run.spendBudget(4).events[0]).toEqual({ event: "plan_aborted", data: { why } });
  });
});

describe("a run that is stopped already", () => {
  test("by an abort or its budget is still killed when its time is up", () => {
    for (const stop of [(run: TestRun) => run.fail("a"), (run: TestRun) => run.spendBudget(3)]) {
      const run = TestRun.started(sketches, { cost_budget_usd: 2 });
      stop(run);
      expect(storyOf(run.timeOut())).toBe("plan_aborted, stop_release kill");
      expect(run.state.run).toMatchObject({ stop: "timeout", stop_phase: null, stop_kills: true });
    }
  });

  test("by an abort or its time is not stopped again by its budget", () => {
    for (const stop of [(run: TestRun) => run.fail("a"), (run: TestRun) => run.timeOut()]) {
      const run = TestRun.started(sketches, { cost_budget_usd: 2 });
      stop(run);
      expect(isEmptyDecision(run.spendBudget(3))).toBe(true);
    }
  });
});

describe("the lock of a phase", () => {
  const locked = { a: { onFailure: "skip_dependents", lock: "db" }, next: { after: ["a"], lock: "db" } } as const;

  test.each([
    { what: "succeeds", end: (run: TestRun) => run.succeed("a") },
    { what: "fails", end: (run: TestRun) => run.fail("a") },
  ])("is given back once when the phase $what", ({ end }) => {
    const releases = end(TestRun.started(locked)).effects.filter(({ kind }) => kind === "release_lock");
    expect(releases).toEqual([{ kind: "release_lock", phase: "a", revision: 1 }]);
  });
});
