import { expect, test } from "vitest";
import {
  emptyRunView,
  isBlock,
  lastProblem,
  listFailures,
  listTolerated,
  waitingShards,
  withPhases,
} from "../../src/view/run-view.ts";
import { journalOf, reduceAll, shardEvent, START_MS, type TestEvent, viewOf } from "./journal-fixture.ts";

const opened: TestEvent = { event: "phase_started", phase: "p", data: { revision: 1, shard_count: 5 } };

function phaseOf(...events: TestEvent[]) {
  const phase = viewOf(...events).phases.get("p");
  if (phase === undefined) throw new Error("the journal names no phase p");
  return phase;
}

function storedOut(sha256: string): TestEvent {
  return { event: "artifact_persisted", phase: "p", data: { name: "out", sha256, size_bytes: 3, revision: 1 } };
}

test("follows a run from its queue to its end", () => {
  const events: TestEvent[] = [
    { event: "run_queued", data: { plan_id: "tz", plan_version: "1.0", phase_count: 1 } },
    { event: "run_started" },
    opened,
    { event: "phase_succeeded", phase: "p", data: { revision: 1 } },
    { event: "run_succeeded", data: { tolerated_failures: 2 } },
  ];
  expect(viewOf(...events)).toMatchObject({
    plan_id: "tz",
    plan_version: "1.0",
    status: "succeeded",
    queued_at_ms: START_MS,
    started_at_ms: START_MS + 1_000,
    finished_at_ms: START_MS + 4_000,
    tolerated_failures: 2,
    last_seq: 5,
  });
  expect(viewOf(...events.slice(0, 1)).status).toBe("queued");
  expect(viewOf(...events.slice(0, 2)).status).toBe("running");
});

test("counts shards by status and forgets those that are done", () => {
  const phase = phaseOf(
    opened,
    shardEvent("shard_started", 0),
    shardEvent("shard_started", 1),
    shardEvent("shard_started", 2),
    shardEvent("shard_succeeded", 0),
    shardEvent("shard_retry", 1),
    shardEvent("shard_failed", 2),
  );
  expect(phase.shards).toEqual({ total: 5, running: 0, backoff: 1, succeeded: 1, failed: 1, cancelled: 0 });
  expect(waitingShards(phase.shards)).toBe(2);
  expect([...phase.open.keys()]).toEqual([1, 2]);
});

test("does not grow with the number of shards that are done", () => {
  const done = Array.from({ length: 2_000 }, (_, shard) => [
    shardEvent("shard_started", shard),
    shardEvent("shard_succeeded", shard),
    { ...shardEvent("artifact_persisted", shard), data: { name: `a${shard}`, sha256: "ab" } },
  ]).flat();
  const phase = phaseOf({ ...opened, data: { revision: 1, shard_count: 2_000 } }, ...done);
  expect(phase.shards.succeeded).toBe(2_000);
  expect(phase.open.size).toBe(0);
  expect(phase.artifacts).toEqual([]);
});

test("counts an attempt once however many events its end brings", () => {
  const phase = phaseOf(
    opened,
    shardEvent("shard_started", 0, 1),
    shardEvent("shard_timeout", 0, 1, { duration_ms: 100 }),
    shardEvent("shard_retry", 0, 1, { duration_ms: 100 }),
    shardEvent("shard_started", 0, 2),
    shardEvent("shard_lost", 0, 2, { duration_ms: 50 }),
    shardEvent("shard_failed", 0, 2, { duration_ms: 50 }),
  );
  expect(phase).toMatchObject({ attempts: 2, retries: 1, lost: 1, serial_ms: 150 });
  expect(phase.shards).toMatchObject({ running: 0, backoff: 0, failed: 1 });
});

test("counts an attempt that its stopping worker gave back neither as a retry nor as lost", () => {
  const phase = phaseOf(
    opened,
    shardEvent("shard_started"),
    shardEvent("shard_given_back", 0, 1, { worker: "w", duration_ms: 50 }),
  );
  expect(phase).toMatchObject({ attempts: 1, retries: 0, lost: 0, serial_ms: 50, wasted_ms: 50, problem: null });
  expect(phase.shards).toMatchObject({ running: 0, backoff: 0, failed: 0 });
});

test("counts an attempt that spawned phases as one that did what it was to do; its shard waits", () => {
  const phase = phaseOf(
    opened,
    shardEvent("shard_started"),
    shardEvent("shard_spawned", 0, 1, { children: ["dev[spawned=a.1]"], duration_ms: 50 }),
    shardEvent("shard_resumed", 0, 1, { children: ["dev[spawned=a.1]"] }),
  );
  expect(phase).toMatchObject({
    attempts: 1,
    retries: 0,
    serial_ms: 50,
    wasted_ms: 0,
    problem: null,
    status: "running",
  });
  expect(phase.shards).toMatchObject({ running: 0, backoff: 0, failed: 0, succeeded: 0 });
});

test("does not count what a spawned phase makes as an output of the run", () => {
  const phase = phaseOf({ event: "phase_spawned", phase: "p", data: { spawner: "test", key: "a", depth: 1 } });
  expect(phase).toMatchObject({ status: "pending", has_dependents: true });
});

test("measures an attempt by the clock when its end does not say how long it took", () => {
  const phase = phaseOf(opened, shardEvent("shard_started"), shardEvent("shard_succeeded"));
  expect(phase.serial_ms).toBe(1_000);
});

test("lets a shard in backoff wait again once its phase is over", () => {
  const phase = phaseOf(opened, shardEvent("shard_started"), shardEvent("shard_retry"), {
    event: "phase_cancelled",
    phase: "p",
    data: { cause: "plan_aborted", cause_phase: "q" },
  });
  expect(phase).toMatchObject({ status: "cancelled", cause: { code: "plan_aborted", phase: "q" } });
  expect(phase.shards.backoff).toBe(0);
  expect(phase.open.size).toBe(0);
});

test("counts the shards of a later revision from nothing and ignores stragglers of the earlier one", () => {
  const phase = phaseOf(
    opened,
    shardEvent("shard_started", 0, 1, { revision: 1 }),
    { event: "phase_failed", phase: "p", data: { why: "no" } },
    { event: "phase_started", phase: "p", data: { revision: 2, shard_count: 3 } },
    shardEvent("shard_succeeded", 0, 1, { revision: 1 }),
  );
  expect(phase).toMatchObject({ status: "running", revision: 2, attempts: 1, problem: null });
  expect(phase.shards).toEqual({ total: 3, running: 0, backoff: 0, succeeded: 0, failed: 0, cancelled: 0 });
});

test("keeps what it knows when the same revision is opened again", () => {
  const phase = phaseOf(opened, shardEvent("shard_started"), shardEvent("shard_succeeded"), opened);
  expect(phase.shards).toMatchObject({ total: 5, succeeded: 1 });
});

test("reopens a run by hand, without its idle time, until its shard succeeds", () => {
  const ended: TestEvent[] = [
    { event: "run_started", atMs: 0 },
    { ...opened, atMs: 0 },
    { ...shardEvent("shard_started", 0), atMs: 0 },
    { ...shardEvent("shard_failed", 0, 1, { why: "no", next_action: "fix it" }), atMs: 1_000 },
    { event: "plan_aborted", phase: "p", data: { why: "no" }, atMs: 1_000 },
    { event: "phase_failed", phase: "p", data: { why: "1 shard failed" }, atMs: 1_000 },
    { event: "phase_cancelled", phase: "q", data: { cause: "plan_aborted", cause_phase: "p" }, atMs: 1_000 },
    { event: "run_failed", atMs: 1_000 },
  ];
  const failed = viewOf(...ended);
  expect(failed).toMatchObject({ status: "failed", aborted_by: "p" });
  expect(lastProblem(failed)).toMatchObject({ shard: 0, why: "no", next_action: "fix it", is_final: true });

  const again: TestEvent[] = [
    ...ended,
    { event: "run_reopened", phase: "p", data: { actor: "ana" }, atMs: 61_000 },
    { event: "phase_reopened", phase: "p", data: { cause_phase: "p" }, atMs: 61_000 },
    { event: "phase_reopened", phase: "q", data: { cause_phase: "p" }, atMs: 61_000 },
  ];
  const reopened = viewOf(...again);
  expect(reopened).toMatchObject({ status: "running", aborted_by: null, idle_ms: 60_000, finished_at_ms: null });
  expect([...reopened.phases.values()].map((phase) => phase.status)).toEqual(["running", "pending"]);
  expect(reopened.phases.get("p")?.shards.failed).toBe(1);

  const retried = viewOf(
    ...again,
    { ...shardEvent("shard_started", 0, 2), atMs: 62_000 },
    { ...shardEvent("shard_succeeded", 0, 2), atMs: 63_000 },
  );
  expect(retried.phases.get("p")?.shards).toMatchObject({ failed: 0, running: 0, succeeded: 1 });
  expect(lastProblem(retried)).toBeNull();
});

test("resumes a phase that failed before it had shards", () => {
  const phase = phaseOf(
    { event: "phase_failed", phase: "p", data: { error_code: "expansion_failed", why: "no records" } },
    { event: "phase_reopened", phase: "p", data: { cause_phase: "p" } },
  );
  expect(phase.status).toBe("running");
});

test("shows a failure for good rather than a retry, and the failure of a shard rather than that of its phase", () => {
  const view = viewOf(
    opened,
    shardEvent("shard_failed", 1, 1, { why: "disk full" }),
    shardEvent("shard_retry", 2, 1, { why: "busy" }),
    { event: "phase_failed", phase: "p", data: { why: "1 shard failed" } },
    { event: "phase_blocked", phase: "q", data: { why: "no input" } },
  );
  expect(lastProblem(view)?.why).toBe("disk full");
});

test("goes back to the failure that is left when another shard recovers", () => {
  const view = viewOf(
    opened,
    shardEvent("shard_failed", 1, 1, { why: "disk full" }),
    shardEvent("shard_failed", 2, 1, { why: "busy" }),
    shardEvent("shard_started", 2, 2),
    shardEvent("shard_succeeded", 2, 2),
  );
  expect(lastProblem(view)?.why).toBe("disk full");
});

test("lists failed shards in order, the phase that aborted the plan first", () => {
  const view = viewOf(
    { event: "phase_failed", phase: "a", data: { why: "merge rejected" } },
    shardEvent("shard_failed", 4, 1, { why: "four" }),
    shardEvent("shard_failed", 2, 1, { why: "two", exit_code: 2, signal: "SIGKILL" }),
    { event: "plan_aborted", phase: "p" },
    { event: "phase_failed", phase: "p", data: { why: "2 shards failed" } },
    { event: "phase_skipped", phase: "z" },
  );
  expect(listFailures(view).map((problem) => problem.why)).toEqual(["two", "four", "merge rejected"]);
  expect(listFailures(view)[0]).toMatchObject({ phase: "p", shard: 2, attempt: 1, exit_code: 2, signal: "SIGKILL" });
});

test("does not list what a phase tolerates among what failed", () => {
  const view = viewOf(
    opened,
    shardEvent("shard_failed", 3, 1, { why: "no" }),
    { event: "phase_succeeded", phase: "p", data: { revision: 1, tolerated_shards: 1 } },
    { event: "phase_failed", phase: "q", data: { why: "merge rejected" } },
  );
  expect(listFailures(view).map((problem) => problem.phase)).toEqual(["q"]);
  expect(listTolerated(view).map((problem) => [problem.phase, problem.shard])).toEqual([["p", 3]]);
  expect(lastProblem(view)?.phase).toBe("q");
});

test("keeps the latest artifact of each name", () => {
  expect(phaseOf(storedOut("aa"), storedOut("bb")).artifacts).toEqual([{ name: "out", sha256: "bb", size_bytes: 3 }]);
});

test("marks staleness, reuse and pauses", () => {
  const data = { revision: 1, cause_phase: "o", used_revision: 1, latest_revision: 2 };
  const stale = phaseOf({ event: "phase_invalidated", phase: "p", data });
  expect(stale).toMatchObject({ is_stale: true, stale_cause: "o r1 → r2" });
  expect(phaseOf({ event: "phase_invalidated", phase: "p" }, { event: "phase_reused", phase: "p" })).toMatchObject({
    status: "succeeded",
    is_stale: false,
    stale_cause: null,
  });
  expect(viewOf({ event: "run_paused" }).is_paused).toBe(true);
  expect(viewOf({ event: "run_paused" }, { event: "run_resumed" }).is_paused).toBe(false);
});

test("shows declared phases in their order, before and after the journal names them", () => {
  const declared = [
    { id: "p", depends_on: [] },
    { id: "q", depends_on: ["p", { phase: "p" }] },
  ];
  const early = reduceAll(journalOf([opened]), withPhases(emptyRunView("run_1"), declared));
  expect([...early.phases.values()].map((phase) => [phase.phase, phase.status])).toEqual([
    ["p", "running"],
    ["q", "pending"],
  ]);
  const late = withPhases(viewOf({ event: "phase_started", phase: "spawned" }, opened), declared);
  expect([...late.phases.keys()]).toEqual(["p", "q", "spawned"]);
  expect(late.phases.get("p")).toMatchObject({ status: "running", has_dependents: true, depends_on: [] });
  expect(late.phases.get("q")).toMatchObject({ status: "pending", has_dependents: false, depends_on: ["p", "p"] });
});

test("ends a blocked phase, with all it lacks, until it is reopened", () => {
  const blocked: TestEvent = { event: "phase_blocked", phase: "p", data: { missing: ["a", "b[os=mac]"] } };
  const view = viewOf(blocked, { event: "run_failed", data: { failed_phases: [] } });
  expect(view.phases.get("p")).toMatchObject({
    status: "blocked",
    cause: { code: "missing_dependency", phase: null },
    missing: ["a", "b[os=mac]"],
    finished_at_ms: START_MS,
  });
  expect(listFailures(view)).toMatchObject([{ phase: "p", shard: null, why: "no accepted output of a, b[os=mac]" }]);
  expect(listFailures(view).map(isBlock)).toEqual([true]);
  expect(phaseOf(blocked, { event: "phase_reopened", phase: "p", data: { cause_phase: "a" } })).toMatchObject({
    status: "pending",
    cause: null,
    missing: [],
    problem: null,
  });
});

test("says why a run failed as a whole until it is reopened", () => {
  const failed: TestEvent = { event: "run_failed", data: { cause: "run_timeout" } };
  expect(viewOf(failed).cause).toEqual({ code: "run_timeout", phase: null });
  expect(viewOf(failed, { event: "run_reopened" }).cause).toBeNull();
});

test("keeps the cause of a skipped phase whatever its code", () => {
  for (const code of ["not_selected", "condition_false", "budget_spent", "circuit_open"]) {
    expect(phaseOf({ event: "phase_skipped", phase: "p", data: { cause: code } })).toMatchObject({
      status: "skipped",
      cause: { code, phase: null },
    });
  }
});

test("does not grow with the shards that report usage", () => {
  const used = Array.from({ length: 500 }, (_, shard) => [
    shardEvent("shard_started", shard),
    shardEvent("shard_succeeded", shard, 1, { usage: { prompt_tokens: 1, cost_usd: 0.1 } }),
  ]).flat();
  expect(phaseOf(opened, ...used).usage).toEqual({
    prompt_tokens: 500,
    completion_tokens: 0,
    total_tokens: 500,
    cost_usd: 50,
    is_cost_partial: false,
  });
});

test("takes from a usage what makes sense", () => {
  const usage = { prompt_tokens: -4, completion_tokens: "many", total_tokens: 9, cost_usd: -1, model: "m" };
  expect(phaseOf(opened, shardEvent("shard_failed", 0, 1, { usage })).usage).toEqual({
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 9,
    cost_usd: null,
    is_cost_partial: false,
  });
  expect(phaseOf(opened, shardEvent("shard_failed", 0, 1, { usage: [1] })).usage).toBeNull();
});
