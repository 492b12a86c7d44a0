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
      { kind: "schedule_timeout", delay_ms },
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

  test("carries on with all that it cut short after a retry by hand", () => {
    const run = started();
    spend(run);
    run.drain("sibling");
    run.fail("a");
    expect(run.state.run.status).toBe("failed");
    expect(storyOf(run.reopen("a"))).toBe(
      "run_reopened a, phase_reopened a, phase_reopened sibling, phase_reopened late, " +
        "resume_release a.r1, resume_release sibling.r1",
    );
    expect(run.state.run).toMatchObject({ status: "running", stop: null });
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

describe("a run that is stopped already", () => {
  test("by an abort or its budget is still killed when its time is up", () => {
    for (const stop of [(run: TestRun) => run.fail("a"), (run: TestRun) => run.spendBudget(3)]) {
      const run = TestRun.started(sketches);
      stop(run);
      expect(storyOf(run.timeOut())).toBe("plan_aborted, stop_release kill");
      expect(run.state.run).toMatchObject({ stop: "timeout", stop_phase: null, stop_kills: true });
    }
  });

  test("by an abort or its time is not stopped again by its budget", () => {
    for (const stop of [(run: TestRun) => run.fail("a"), (run: TestRun) => run.timeOut()]) {
      const run = TestRun.started(sketches);
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
