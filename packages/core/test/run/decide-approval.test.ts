import { describe, expect, test } from "vitest";
import { planRerun } from "../../src/run/plan-rerun.ts";
import { isEmptyDecision } from "../../src/run/run-state.ts";
import { storyOf, TestRun } from "./run-fixture.ts";

const sketches = { build: {}, review: { approval: "Ship it?", after: ["build"] }, ship: { after: ["review"] } };

function asked(answerWithin?: number): TestRun {
  const review = { ...sketches.review, ...(answerWithin === undefined ? {} : { answerWithin }) };
  const run = TestRun.started({ ...sketches, review });
  run.succeed("build");
  return run;
}

describe("an approval", () => {
  test("asks when what comes before it is over, and puts nothing on a queue", () => {
    const run = TestRun.started(sketches);
    const { events, effects } = run.succeed("build");
    expect(events.slice(1)).toEqual([
      { event: "phase_started", phase: "review", data: { revision: 1 } },
      {
        event: "approval_requested",
        phase: "review",
        data: { revision: 1, message: "Ship it?", until_ms: null },
      },
    ]);
    expect(effects).toEqual([]);
    expect(run.statuses).toBe("build:succeeded review:running ship:pending");
    expect(run.state.run.waiting_approvals).toBe(1);
  });

  test("that is given starts what waits for it, and is its output", () => {
    const run = asked();
    const decision = run.answer("review", true, "well done");
    expect(storyOf(decision)).toBe(
      "approval_given review, artifact_persisted review, phase_succeeded review, open_phase ship.r1",
    );
    expect(decision.events[0]?.data).toEqual({ revision: 1, approved: true, comment: "well done", actor: "ana" });
    expect(run.state.phases.get("review")).toMatchObject({ revision: 1, artifacts: [{ name: "review" }] });
    expect(run.state.phases.get("review")?.asked).toBeUndefined();
    expect(run.state.run.waiting_approvals).toBe(0);
  });

  test("that is rejected fails its phase, by the policy of the phase", () => {
    const run = asked();
    expect(storyOf(run.answer("review", false, "a typo"))).toBe(
      "approval_given review, phase_failed review, plan_aborted review, phase_cancelled ship, run_failed, " +
        "stop_release, finish_run",
    );
    expect(run.cause("review")).toEqual({ code: "approval_rejected", message: "rejected by ana: a typo" });
  });

  test("is given once: what comes later, or is about another revision, has no effect", () => {
    const run = asked();
    const answer = { approved: false, comment: "", actor: "bob" };
    const late = { type: "approve", ...run.ref("review"), answer, artifact: { name: "x", sha256: "", size_bytes: 0 } };
    expect(isEmptyDecision(run.apply({ ...late, type: "approve", revision: 2 }))).toBe(true);
    run.answer("review", true);
    expect(isEmptyDecision(run.apply({ ...late, type: "approve" }))).toBe(true);
    expect(run.status("review")).toBe("succeeded");
  });

  test("is asked for again by a retry", () => {
    const run = asked();
    run.answer("review", false);
    expect(storyOf(run.reopen("review"))).toBe(
      "run_reopened review, phase_reopened review, approval_requested review, phase_reopened ship",
    );
    expect(storyOf(run.answer("review", true))).toContain("open_phase ship.r1");
  });

  test("is asked for again by a rerun of what it is about", () => {
    const run = asked();
    run.answer("review", true);
    run.succeed("ship");
    run.rerun(["build"], "stale");
    expect(storyOf(run.succeed("build", "b"))).toContain(
      "phase_rerun review, phase_started review, approval_requested",
    );
    expect(run.statuses).toBe("build:succeeded review:running ship:succeeded");
  });

  test("is not asked for once more while it is", () => {
    const run = asked();
    const { problems } = planRerun(run.state, { phases: ["review"], reach: "only", changed: new Map() });
    expect(problems).toMatchObject([
      { code: "PHASE_RUNNING", message: expect.stringContaining("waits for an approval; give it, or cancel it") },
    ]);
  });

  test("may be given while the run is paused", () => {
    const run = asked();
    run.apply({ type: "pause", actor: "test" });
    expect(storyOf(run.answer("review", true))).toContain("phase_succeeded review");
  });
});

describe("the wait for an approval", () => {
  test("ends with its time", () => {
    const run = TestRun.started({ ...sketches, review: { ...sketches.review, answerWithin: 2 } });
    const { effects } = run.succeed("build");
    expect(effects).toEqual([{ kind: "schedule_approval_timeout", phase: "review", revision: 1, at_ms: 4_000 }]);
    run.apply({ type: "approval_timeout", ...run.ref("review"), atMs: 4_000 });
    expect(run.cause("review")).toEqual({ code: "approval_timeout", message: "nobody answered within 2 s" });
  });

  test("does not end with a time that was set for an earlier question", () => {
    const run = asked(2);
    run.answer("review", false);
    run.nowMs = 3_000;
    run.reopen("review");
    expect(isEmptyDecision(run.apply({ type: "approval_timeout", ...run.ref("review"), atMs: 4_000 }))).toBe(true);
    expect(storyOf(run.apply({ type: "approval_timeout", ...run.ref("review"), atMs: 5_000 }))).toContain(
      "phase_failed review",
    );
  });

  test("is over at once when the run is stopped, and begins anew when it goes on", () => {
    const run = TestRun.started({ review: { approval: "?" }, other: { onFailure: "abort" } });
    expect(storyOf(run.fail("other"))).toBe(
      "phase_failed other, plan_aborted other, phase_cancelled review, run_failed, stop_release, finish_run",
    );
    expect(storyOf(run.reopen("other"))).toBe(
      "run_reopened other, phase_reopened other, phase_reopened review, approval_requested review, " +
        "resume_release other.r1",
    );
  });

  test.each([
    ["the run", (run: TestRun) => run.cancel()],
    ["the phase", (run: TestRun) => run.apply({ type: "cancel_phase", phase: "review", actor: "test" })],
  ])("is over when somebody cancels %s", (_what, cancel) => {
    const run = asked();
    cancel(run);
    expect(run.status("review")).toBe("cancelled");
    expect(["cancelled", "failed"]).toContain(run.state.run.status);
    expect(run.state.run.waiting_approvals).toBe(0);
  });

  test("is not cut short by somebody who finds that nothing of the phase is at work", () => {
    const run = asked();
    expect(isEmptyDecision(run.drain("review"))).toBe(true);
  });
});
