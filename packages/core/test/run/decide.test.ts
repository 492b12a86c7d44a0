import type { PhaseRecord } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { decide } from "../../src/run/decide.ts";
import { isTolerated } from "../../src/run/fail-phase.ts";
import { isEmptyDecision, restoreRunState, type Trigger } from "../../src/run/run-state.ts";
import { artifactNamed, phaseOf, plannedOf, type PhaseSketch, queuedRun, storyOf, TestRun } from "./run-fixture.ts";

describe("starting a run", () => {
  test("opens the phases without dependencies, in declaration order", () => {
    const run = new TestRun({ late: { after: ["b"] }, b: {}, a: {} });
    expect(storyOf(run.start())).toBe("run_started, open_phase b.r1, open_phase a.r1");
    expect(run.statuses).toBe("late:pending b:running a:running");
    expect(run.state.run).toMatchObject({ status: "running", started_at_ms: 2_000, finished_at_ms: null, version: 1 });
    expect(run.state.phases.get("a")).toEqual({ status: "running", revision: 0, started_at_ms: 2_000, making: [] });
  });
});

describe("the success of a phase", () => {
  test("opens what waited for it alone, in declaration order whatever the order of the edges", () => {
    const run = TestRun.started({ d: { after: ["a"] }, c: { after: ["b", "a"] }, b: { after: ["a"] }, a: {} });
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a, open_phase d.r1, open_phase b.r1");
    expect(storyOf(run.succeed("b"))).toBe("phase_succeeded b, open_phase c.r1");
  });

  test("opens the next phase at once, without waiting for the other phases of its level", () => {
    const run = TestRun.started({ slow: {}, quick: {}, next: { after: ["quick"] } });
    expect(storyOf(run.succeed("quick"))).toBe("phase_succeeded quick, open_phase next.r1");
  });

  test("skips what waited for its failure, and what needed that", () => {
    const run = TestRun.started({ a: {}, mend: { afterFailure: ["a"] }, report: { after: ["mend"] } });
    expect(storyOf(run.succeed("a"))).toBe(
      "phase_succeeded a, phase_skipped mend, phase_skipped report, run_succeeded, finish_run",
    );
    expect(run.cause("report")).toEqual({ code: "unreachable", phase: "a" });
  });

  test("takes the revision and its artifacts, and tells of each", () => {
    const run = TestRun.started({ a: {}, b: { after: ["a"] } });
    run.nowMs += 40;
    const artifacts = [artifactNamed("one"), { ...artifactNamed("two"), inline: "2" }];
    const { events } = run.apply({ type: "phase_succeeded", phase: "a", revision: 1, artifacts, toleratedShards: 2 });
    const persisted = { sha256: "0".repeat(64), size_bytes: 1, revision: 1 };
    expect(events).toEqual([
      { event: "artifact_persisted", phase: "a", data: { name: "one", ...persisted } },
      { event: "artifact_persisted", phase: "a", data: { name: "two", ...persisted } },
      { event: "phase_succeeded", phase: "a", data: { revision: 1, duration_ms: 40, tolerated_shards: 2 } },
    ]);
    expect(run.state.phases.get("a")).toEqual({
      status: "succeeded",
      revision: 1,
      started_at_ms: 2_000,
      finished_at_ms: 2_040,
      artifacts,
      dependencies: [],
    });
  });

  test("of the last phase ends the run", () => {
    const run = TestRun.started({ a: {}, b: {} });
    run.succeed("a");
    run.nowMs += 500;
    expect(run.succeed("b").events.at(-1)).toEqual({
      event: "run_succeeded",
      data: { duration_ms: 500, tolerated_failures: 0, failed_phases: [] },
    });
    expect(run.state.run).toMatchObject({ status: "succeeded", finished_at_ms: 2_500, tolerated_failures: 0 });
  });

  test("of a phase that never started is refused", () => {
    const run = TestRun.started({ a: {}, b: { after: ["a"] } });
    expect(() => run.succeed("b")).toThrow(expect.objectContaining({ code: "ILLEGAL_TRANSITION" }));
    expect(() => run.reopen("nobody")).toThrow(expect.objectContaining({ code: "UNKNOWN_PHASE" }));
  });
});

const skips = { onFailure: "skip_dependents" } as const;

/** `fails` fails while `sibling` runs; the others depend on it in each way, or on the sibling. */
const AROUND_A_FAILURE = {
  need: { after: ["fails"] },
  further: { after: ["need"] },
  always: { afterEnd: ["need"] },
  mend: { afterFailure: ["fails"] },
  anyway: { afterEnd: ["fails"] },
  later: { after: ["sibling"] },
  sibling: {},
} satisfies Record<string, PhaseSketch>;

const ABORTED =
  "need:cancelled further:cancelled always:cancelled mend:cancelled anyway:cancelled later:cancelled sibling:running";
const SKIPPED = "need:skipped further:skipped always:running mend:running anyway:running later:pending sibling:running";
const CARRIED_ON =
  "need:running further:pending always:pending mend:running anyway:running later:pending sibling:running";

describe("the failure of a phase", () => {
  test.each([
    { onFailure: "abort", critical: true, rest: ABORTED, end: "failed", tolerated: 0 },
    { onFailure: "abort", critical: false, rest: SKIPPED, end: "failed", tolerated: 0 },
    { onFailure: "skip_dependents", critical: true, rest: SKIPPED, end: "failed", tolerated: 0 },
    { onFailure: "skip_dependents", critical: false, rest: SKIPPED, end: "failed", tolerated: 0 },
    { onFailure: "continue", critical: true, rest: CARRIED_ON, end: "failed", tolerated: 0 },
    { onFailure: "continue", critical: false, rest: CARRIED_ON, end: "succeeded", tolerated: 1 },
  ] as const)("with on_failure $onFailure, critical $critical", ({ onFailure, critical, rest, end, tolerated }) => {
    const run = TestRun.started({ fails: { onFailure, critical }, ...AROUND_A_FAILURE });
    run.fail("fails");
    expect(run.statuses).toBe(`fails:failed ${rest}`);
    for (const id of ["sibling", "need", "further", "always", "mend", "anyway", "later"]) {
      if (run.status(id) === "running") run.succeed(id);
    }
    expect(run.state.run).toMatchObject({ status: end, tolerated_failures: tolerated });
    expect(run.state.unfinished).toBe(0);
    expect(isTolerated(phaseOf("fails", { onFailure, critical }))).toBe(tolerated > 0);
  });

  test("skips what needs its success, recursively, and each names the root", () => {
    const run = TestRun.started({
      c: { after: ["b"] },
      b: { after: ["a"] },
      mend: { afterFailure: ["b"] },
      a: skips,
    });
    expect(storyOf(run.fail("a"))).toBe(
      "phase_failed a, phase_skipped b, phase_skipped c, phase_skipped mend, run_failed, finish_run",
    );
    for (const id of ["b", "c", "mend"]) expect(run.cause(id)).toEqual({ code: "dependency_failed", phase: "a" });
  });

  test("skips a phase at once, although it waits for others, and once, although it is reached twice", () => {
    const run = TestRun.started({
      a: skips,
      slow: {},
      b: { after: ["a"] },
      c: { after: ["slow", "a", "b"] },
    });
    expect(storyOf(run.fail("a"))).toBe("phase_failed a, phase_skipped b, phase_skipped c");
  });

  test("opens what runs always, once all its sources are over", () => {
    const run = TestRun.started({
      a: skips,
      slow: {},
      clean: { afterEnd: ["a", "b", "slow"] },
      b: { after: ["a"] },
    });
    expect(storyOf(run.fail("a"))).toBe("phase_failed a, phase_skipped b");
    expect(storyOf(run.succeed("slow"))).toBe("phase_succeeded slow, open_phase clean.r1");
  });

  test("opens in declaration order also what only a skip lets start", () => {
    const run = TestRun.started({
      early: { afterEnd: ["b"] },
      a: skips,
      b: { after: ["a"] },
      mend: { afterFailure: ["a"] },
    });
    expect(storyOf(run.fail("a"))).toBe("phase_failed a, phase_skipped b, open_phase early.r1, open_phase mend.r1");
  });

  test("tells why, how many shards failed, and whether it is tolerated", () => {
    const run = TestRun.started({ a: { onFailure: "continue", critical: false }, b: {} });
    const { events } = run.fail("a");
    const data = { error_code: "shards_failed", why: "exit 1", failed_shards: 1, tolerated: true };
    expect(events).toEqual([{ event: "phase_failed", phase: "a", data }]);
    expect(run.state.phases.get("a")).toMatchObject({ status: "failed", revision: 0, finished_at_ms: 2_000 });
    expect(run.cause("a")).toEqual({ code: "shards_failed", message: "exit 1" });
  });

  test("by its merge persists nothing, takes no revision and says so first", () => {
    const run = TestRun.started({ a: skips });
    const { events } = run.apply(run.failure("a", { code: "merge_rejected", message: "expected 3, got 2" }));
    expect(events.map(({ event }) => event)).toEqual(["artifact_rejected", "phase_failed", "run_failed"]);
    expect(events[0]?.data).toEqual({ error_code: "MERGE_REJECTED", why: "expected 3, got 2" });
    expect(run.state.phases.get("a")).toMatchObject({ status: "failed", revision: 0 });
  });

  test("is named at the end of the run, tolerated or not", () => {
    const run = TestRun.started({ a: { onFailure: "continue", critical: false }, b: skips });
    run.fail("a");
    expect(run.fail("b").events.at(-1)).toEqual({
      event: "run_failed",
      data: { duration_ms: 0, tolerated_failures: 1, failed_phases: ["a", "b"] },
    });
  });
});

describe("an abort", () => {
  const sketches = { a: {}, sibling: {}, late: { after: ["sibling"] }, last: { afterEnd: ["a", "late"] } };
  const cause = { code: "plan_aborted", phase: "a" };

  test.each([
    { cascades: false, effect: "stop_release" },
    { cascades: true, effect: "stop_release kill" },
  ])("with cascades $cascades cancels what is pending and asks for $effect", ({ cascades, effect }) => {
    const run = TestRun.started(sketches, { cascades });
    expect(storyOf(run.fail("a"))).toBe(
      `phase_failed a, plan_aborted a, phase_cancelled late, phase_cancelled last, ${effect}`,
    );
    expect([run.cause("late"), run.cause("last")]).toEqual([cause, cause]);
    expect(run.state.run).toMatchObject({ status: "running", stop: "abort", stop_phase: "a", stop_kills: cascades });
  });

  test("comes with the first shard that fails for good, before the phase has drained", () => {
    const run = TestRun.started(sketches);
    expect(storyOf(run.failShard("a"))).toBe(
      "plan_aborted a, phase_cancelled late, phase_cancelled last, stop_release",
    );
    expect(run.statuses).toBe("a:running sibling:running late:cancelled last:cancelled");
    expect(storyOf(run.fail("a"))).toBe("phase_failed a");
  });

  test.each([
    { onFailure: "abort", critical: false },
    { onFailure: "skip_dependents", critical: true },
    { onFailure: "continue", critical: true },
  ] as const)("does not come with a shard of a phase with on_failure $onFailure, critical $critical", (policy) => {
    const run = TestRun.started({ ...sketches, a: policy });
    expect(isEmptyDecision(run.failShard("a"))).toBe(true);
  });

  test("lets running phases succeed, opens nothing after them and ends the run as failed", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    expect(storyOf(run.succeed("sibling"))).toBe("phase_succeeded sibling, run_failed, finish_run");
  });

  test("cancels running phases once they have drained", () => {
    const run = TestRun.started(sketches);
    run.fail("a");
    expect(storyOf(run.drain("sibling"))).toBe("phase_cancelled sibling, run_failed, finish_run");
    expect(run.cause("sibling")).toEqual(cause);
  });

  test("stays the abort of the first phase when another one fails too", () => {
    const run = TestRun.started({ a: {}, b: {} });
    run.fail("a");
    expect(storyOf(run.fail("b"))).toBe("phase_failed b, run_failed, finish_run");
    expect(run.state.run).toMatchObject({ status: "failed", stop: "abort", stop_phase: "a" });
  });
});

describe("a cancel", () => {
  const sketches = { done: {}, a: {}, b: { after: ["a"] } };

  test("of a queued run ends it at once, and it starts no more", () => {
    const run = new TestRun(sketches);
    expect(storyOf(run.cancel())).toBe(
      "phase_cancelled done, phase_cancelled a, phase_cancelled b, run_cancelled, stop_release kill, finish_run",
    );
    expect(run.state.run).toMatchObject({ status: "cancelled", started_at_ms: null, finished_at_ms: 2_000 });
    expect(isEmptyDecision(run.start())).toBe(true);
  });

  test("of a running run cancels what is pending, and the rest once it has drained", () => {
    const run = TestRun.started(sketches);
    run.succeed("done");
    expect(storyOf(run.cancel())).toBe("phase_cancelled b, stop_release kill");
    expect(run.state.run).toMatchObject({ status: "running", stop: "cancel", stop_phase: null, stop_kills: true });
    expect(storyOf(run.drain("a"))).toBe("phase_cancelled a, run_cancelled, finish_run");
    expect(run.statuses).toBe("done:succeeded a:cancelled b:cancelled");
    expect(run.cause("a")).toEqual({ code: "cancel_requested" });
  });

  test("of an aborted run kills what the abort let finish, and ends it as cancelled", () => {
    const run = TestRun.started(sketches);
    run.fail("done");
    expect(storyOf(run.cancel())).toBe("stop_release kill");
    expect(storyOf(run.drain("a"))).toBe("phase_cancelled a, run_cancelled, finish_run");
    expect(run.cause("b")).toEqual({ code: "plan_aborted", phase: "done" });
  });

  test("keeps what succeeds or fails before it is killed", () => {
    const run = TestRun.started(sketches);
    run.cancel();
    expect(storyOf(run.succeed("a"))).toBe("phase_succeeded a");
    expect(storyOf(run.fail("done"))).toBe("phase_failed done, run_cancelled, finish_run");
  });

  test("is not undone by a phase that is said to succeed after it was cancelled", () => {
    const run = TestRun.started(sketches);
    run.cancel();
    run.drain("a");
    expect(isEmptyDecision(run.succeed("a"))).toBe(true);
    expect(run.status("a")).toBe("cancelled");
  });

  test.each(["succeeded", "failed", "cancelled"] as const)("of a run that has %s changes nothing", (end) => {
    const run = TestRun.started({ a: {} });
    if (end === "succeeded") run.succeed("a");
    if (end === "failed") run.fail("a");
    if (end === "cancelled") {
      run.cancel();
      run.drain("a");
    }
    expect(run.state.run.status).toBe(end);
    expect(isEmptyDecision(run.cancel())).toBe(true);
  });
});

describe("a decision", () => {
  test("leaves the state it was made on as it was", () => {
    const run = TestRun.started({ a: skips, b: { after: ["a"] } });
    const before = structuredClone([run.state.run, run.state.phases]);
    expect(storyOf(decide(run.state, run.failure("a"), 9_000))).toContain("run_failed");
    expect([run.state.run, run.state.phases]).toEqual(before);
  });

  test("can touch 10,000 phases", () => {
    const ids = Array.from({ length: 10_000 }, (_, at) => `p${at}`);
    const chain = ids.map((id, at) => [id, at === 0 ? {} : { after: [`p${at - 1}`] }] as const);
    const long = TestRun.started(Object.fromEntries([...chain, ["p0", skips]]));
    expect(long.fail("p0").events).toHaveLength(10_001);
    const wide = new TestRun(Object.fromEntries(ids.map((id) => [id, {}])));
    expect(wide.start().effects).toHaveLength(10_000);
  });
});

const chain = { a: skips, b: { after: ["a"] }, c: {} };

/** A run in which a trigger has something to do. */
const TRIGGERS: readonly (readonly [what: string, setUp: () => { run: TestRun; trigger: Trigger }])[] = [
  ["start", () => ({ run: new TestRun(chain), trigger: { type: "start" } })],
  ["phase_succeeded", () => withTrigger(TestRun.started(chain), (run) => run.success("a"))],
  ["the last phase_succeeded", () => withTrigger(TestRun.started({ a: {} }), (run) => run.success("a"))],
  ["phase_failed", () => withTrigger(TestRun.started(chain), (run) => run.failure("a"))],
  ["phase_failed that aborts", () => withTrigger(TestRun.started(chain), (run) => run.failure("c"))],
  ["the last phase_failed", () => withTrigger(TestRun.started({ a: {} }), (run) => run.failure("a"))],
  [
    "shard_failed",
    () => withTrigger(TestRun.started(chain), (run) => ({ type: "shard_failed", ...run.ref("c"), why: "exit 1" })),
  ],
  [
    "phase_drained",
    () => {
      const run = TestRun.started(chain);
      run.cancel();
      return { run, trigger: { type: "phase_drained", ...run.ref("a") } };
    },
  ],
  ["cancel", () => ({ run: TestRun.started(chain), trigger: { type: "cancel", actor: "test" } })],
  ["timeout", () => ({ run: TestRun.started(chain), trigger: { type: "timeout" } })],
  [
    "budget_spent",
    () => {
      const run = TestRun.started(chain, { cost_budget_usd: 1 });
      return { run, trigger: { type: "budget_spent", costUsd: 1 } };
    },
  ],
  ["cancel of a queued run", () => ({ run: new TestRun(chain), trigger: { type: "cancel", actor: "test" } })],
  [
    "reopen",
    () => {
      const run = TestRun.started(chain);
      run.fail("a");
      run.fail("c");
      return { run, trigger: { type: "reopen", phase: "a", actor: "test" } };
    },
  ],
];

function withTrigger(run: TestRun, trigger: (run: TestRun) => Trigger): { run: TestRun; trigger: Trigger } {
  return { run, trigger: trigger(run) };
}

describe("made twice, the decision on", () => {
  test.each(TRIGGERS)("%s is empty", (_what, setUp) => {
    const { run, trigger } = setUp();
    expect(isEmptyDecision(run.apply(trigger))).toBe(false);
    expect(isEmptyDecision(run.apply(trigger))).toBe(true);
  });

  test.each(["succeeded", "running"] as const)(
    "a revision accepted long ago is empty while the phase is %s",
    (status) => {
      const planned = plannedOf({ a: {}, b: {} });
      const stored = new Map<string, PhaseRecord>([
        ["a", { status, revision: 1 }],
        ["b", { status: "running", revision: 0 }],
      ]);
      const old = { phase: "a", revision: 1 };
      for (const stop of [null, "abort"] as const) {
        const state = restoreRunState(planned, { ...queuedRun(), status: "running", stop }, stored);
        const triggers: Trigger[] = [
          { type: "phase_succeeded", ...old, artifacts: [artifactNamed("other")], toleratedShards: 0 },
          { type: "phase_failed", ...old, cause: { code: "shards_failed" }, failedShards: 1 },
          { type: "shard_failed", ...old, why: "exit 1" },
          { type: "phase_drained", ...old },
        ];
        expect(triggers.filter((trigger) => !isEmptyDecision(decide(state, trigger, 3_000)))).toEqual([]);
      }
    },
  );
});
