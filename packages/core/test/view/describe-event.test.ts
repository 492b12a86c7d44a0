import { CauseSchema, EVENT_NAMES, type EventLevel, type EventName } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { describeCause, describeEvent, type EventFacts, eventPlace } from "../../src/view/describe-event.ts";
import { eventLevel } from "../../src/view/event-level.ts";

const FULL_DATA: Readonly<Record<EventName, Readonly<Record<string, unknown>>>> = {
  run_queued: { plan_id: "tz", plan_version: "1.0", phase_count: 4 },
  run_started: {},
  run_succeeded: { duration_ms: 12_340, tolerated_failures: 1, failed_phases: ["lint"] },
  run_failed: {
    duration_ms: 12_340,
    tolerated_failures: 0,
    failed_phases: ["a", "b", "c", "d"],
    cause: "run_timeout",
    cause_phase: null,
  },
  run_cancelled: { duration_ms: 900 },
  run_paused: { actor: "ana" },
  run_resumed: {},
  run_reopened: { actor: "ana" },
  phase_blocked: { error_code: "missing_dependency", missing: ["split", "lint[os=mac]"] },
  phase_started: {
    revision: 2,
    strategy: "scene",
    shard_count: 11,
    max_parallel: 2,
    pool: "default",
    record_count: 447,
  },
  phase_progress: {
    revision: 1,
    metrics: [
      { metric_key: "lines", unit: "lines", completed: 450.5, total: 12_000, total_status: "locked" },
      { metric_key: "size", unit: "MB", completed: 2, total: 9, total_status: "estimated" },
      { metric_key: "files", unit: "files", completed: 3, total: null, total_status: "unknown" },
      { metric_key: "words", completed: 4 },
    ],
  },
  phase_succeeded: { revision: 1, duration_ms: 3_200, tolerated_shards: 2 },
  phase_failed: { error_code: "shards_failed", why: "1 of 11 shards failed", failed_shards: 1, tolerated: true },
  phase_skipped: { cause: "dependency_failed", cause_phase: "split" },
  phase_cancelled: { cause: "plan_aborted", cause_phase: "split" },
  phase_reopened: { cause_phase: "split" },
  phase_repaired: { reason: "its aggregate was removed" },
  phase_rerun: { why: "asked for", actor: "ann" },
  phase_invalidated: { cause_phase: "split", used_revision: 1, latest_revision: 2 },
  phase_refreshed: {},
  phase_reused: { revision: 2 },
  phase_spawned: {
    spawner: "test",
    spawner_revision: 1,
    spawner_shard: 0,
    spawner_attempt: 2,
    key: "round-1",
    depth: 1,
    copy_of: "dev",
    reason: "two tests\nfail",
  },
  shard_started: { worker: "w1", revision: 1 },
  shard_iterated: { iteration: 2, duration_ms: 80, revision: 1 },
  shard_retry: { error_code: "EXIT", why: "zic: bad rule", delay_ms: 2_000, exit_code: 2, duration_ms: 80 },
  shard_timeout: { duration_ms: 600_010 },
  shard_lost: { worker: "w1", duration_ms: 4_000 },
  shard_given_back: { worker: "w1", duration_ms: 4_000 },
  shard_reused: { revision: 1, from_run: "run_7", from_phase: "compile", from_shard: 2 },
  shard_repaired: { reason: "its job was removed" },
  shard_spawned: { children: ["dev[spawned=a.1]", "dev[spawned=b.2]", "c", "d"], duration_ms: 1_500, revision: 1 },
  shard_resumed: { children: ["dev[spawned=a.1]"] },
  shard_succeeded: { duration_ms: 840, output_bytes: 12_600, revision: 1 },
  shard_failed: { error_code: "EXIT", why: "zic: bad rule", exit_code: 2, duration_ms: 80, attempts: 3 },
  shard_cancelled: { reason: "cancel requested", duration_ms: 80, survivors: [4711, 4712] },
  artifact_persisted: { name: "zones", sha256: "ab".repeat(32), size_bytes: 1_572_864, record_count: 447, revision: 1 },
  artifact_rejected: { error_code: "MERGE", why: "expected 447, got 446" },
  plan_aborted: { why: "zic: bad rule" },
  approval_requested: {},
  approval_given: { actor: "ana" },
  worker_joined: { worker: "w1" },
  worker_left: { worker: "w1" },
};

function facts(event: EventName, data: Readonly<Record<string, unknown>>): EventFacts {
  if (event.startsWith("run_") || event.startsWith("worker_")) return { event, data };
  if (!event.startsWith("shard_")) return { event, phase: "compile", data };
  return { event, phase: "compile", shard: 3, attempt: 1, data };
}

function describeRetry(data: Readonly<Record<string, unknown>>): string {
  return describeEvent(facts("shard_retry", data));
}

function eventsOf(level: EventLevel): EventName[] {
  return EVENT_NAMES.filter((event) => eventLevel(event) === level);
}

test("says in one sentence what each event tells", () => {
  const sentences = EVENT_NAMES.map((event) => describeEvent(facts(event, FULL_DATA[event])));
  expect(sentences.join("\n")).toMatchInlineSnapshot(`
    "run queued: plan tz 1.0, 4 phases
    run started
    run succeeded in 12.3 s, 1 failed phase tolerated
    run failed after 12.3 s: the time limit of the run was reached; a, b, c and 1 more failed
    run cancelled after 900 ms
    run paused by ana
    run resumed
    run reopened by ana
    compile is blocked: no accepted output of split, lint[os=mac]
    compile started: 11 shards by scene, 447 records, at most 2 at once, pool default, revision 2
    compile has done 450.5 of 12,000 lines, 2 of about 9 MB, 3 files
    compile succeeded in 3.2 s, 2 failed shards tolerated
    compile failed: 1 of 11 shards failed (the plan tolerates it)
    compile skipped: split failed
    compile cancelled: the failure of split aborted the plan
    compile reopened because split is retried
    compile was put back on the queues: its aggregate was removed
    compile runs again by ann: asked for
    compile is stale: split r1 → r2
    compile is up to date again
    compile reused its earlier output, revision 2
    compile was spawned by test[0] attempt 2: two tests fail
    compile[3] attempt 1 started on worker w1
    compile[3] attempt 1 failed: zic: bad rule; next attempt in 2.0 s
    compile[3] ended iteration 2 in 80 ms and runs again
    compile[3] attempt 1 timed out after 10 min
    compile[3] attempt 1 was lost with worker w1
    compile[3] attempt 1 was given back by worker w1 and runs elsewhere
    compile[3] was put back on its queue: its job was removed
    compile[3] attempt 1 spawned dev[spawned=a.1], dev[spawned=b.2], c and 1 more after 1.5 s and waits for it
    compile[3] goes on: what it spawned has succeeded
    compile[3] reused from run_7/compile[2]
    compile[3] attempt 1 succeeded in 840 ms, 12.3 KiB
    compile[3] failed for good after 3 attempts: zic: bad rule
    compile[3] cancelled: cancel requested; even SIGKILL did not end process 4711, 4712
    compile stored zones, 1.5 MiB, 447 records, sha256 abababababab
    compile had its output rejected: expected 447, got 446
    plan aborted by compile: zic: bad rule
    compile waits for an approval
    compile was approved by ana
    worker w1 joined
    worker w1 left"
  `);
});

test("leaves out what an event does not carry", () => {
  const sentences = EVENT_NAMES.map((event) => describeEvent(facts(event, {})));
  expect(sentences.join("\n")).toMatchInlineSnapshot(`
    "run queued
    run started
    run succeeded
    run failed
    run cancelled
    run paused
    run resumed
    run reopened
    compile is blocked
    compile started
    compile reports progress
    compile succeeded
    compile failed
    compile skipped
    compile cancelled
    compile reopened
    compile was put back on the queues
    compile runs again
    compile is stale
    compile is up to date again
    compile reused its earlier output
    compile was spawned
    compile[3] attempt 1 started
    compile[3] attempt 1 failed
    compile[3] ended an iteration and runs again
    compile[3] attempt 1 timed out
    compile[3] attempt 1 was lost
    compile[3] attempt 1 was given back and runs elsewhere
    compile[3] was put back on its queue
    compile[3] attempt 1 spawned phases and waits for it
    compile[3] goes on: what it spawned has succeeded
    compile[3] reused
    compile[3] attempt 1 succeeded
    compile[3] failed for good after 1 attempt
    compile[3] cancelled
    compile stored an output
    compile had its output rejected
    plan aborted by compile
    compile waits for an approval
    compile was approved
    worker joined
    worker left"
  `);
  for (const sentence of sentences) expect(sentence).not.toMatch(/undefined|null|NaN| {2}/);
});

test("ignores fields of a wrong type", () => {
  const data = { why: 5, exit_code: "two", delay_ms: null, failed_phases: "all", percent: Number.NaN, duration_ms: [] };
  for (const event of EVENT_NAMES) expect(describeEvent(facts(event, data))).toBe(describeEvent(facts(event, {})));
});

test("falls back from the cause in words to exit code, signal and error code", () => {
  expect(describeRetry({ exit_code: 2, error_code: "EXIT" })).toBe("compile[3] attempt 1 failed: exit code 2");
  expect(describeRetry({ signal: "SIGKILL", error_code: "EXIT" })).toBe(
    "compile[3] attempt 1 failed: killed by SIGKILL",
  );
  expect(describeRetry({ error_code: "EXIT" })).toBe("compile[3] attempt 1 failed: EXIT");
});

test("keeps a sentence on one line and bounded, whatever a program printed", () => {
  const sentence = describeEvent(
    facts("shard_failed", { why: `line 1\r\nline 2\u001b[2J\u001b]0;title\u0007\u0000${"😀".repeat(10_000)}` }),
  );
  expect(sentence).toMatch(/^compile\[3\] failed for good after 1 attempt: line 1 line 2 (😀)+…$/u);
  expect(sentence.length).toBeLessThan(900);
});

test("names places by phase and shard", () => {
  expect([{}, { phase: "a" }, { phase: "a", shard: null }, { phase: "a", shard: 0 }].map(eventPlace)).toEqual([
    "run",
    "a",
    "a",
    "a[0]",
  ]);
});

test("passes on a cause it does not know", () => {
  expect(describeCause("constructor", null)).toBe("constructor");
});

test("says of each cause what it means, with and without the phase at its root", () => {
  const codes = CauseSchema.shape.code.options;
  const told = codes.map((code) => [code, describeCause(code, null), describeCause(code, "fetch")].join(" | "));
  expect(told.join("\n")).toMatchInlineSnapshot(`
    "dependency_failed | a dependency failed | fetch failed
    unreachable | the outcome of a dependency leaves it no way to start | the outcome of fetch leaves it no way to start
    plan_aborted | the failure of a dependency aborted the plan | the failure of fetch aborted the plan
    cancel_requested | cancellation was requested | fetch was cancelled by hand
    missing_dependency | a dependency has no accepted output | fetch has no accepted output
    not_selected | it does not take part in this run | fetch does not take part in this run
    condition_false | its condition does not hold | the condition of fetch does not hold
    condition_failed | its condition could not be evaluated | the condition of fetch could not be evaluated
    run_timeout | the time limit of the run was reached | the time limit of the run was reached
    budget_spent | the cost budget of the run is spent | the cost budget of the run is spent
    lock_timeout | its lock was not free in time | the lock of fetch was not free in time
    circuit_open | too many shards failed in a row | too many shards of fetch failed in a row
    shards_failed | shards failed | shards of fetch failed
    merge_rejected | the merge was rejected | the merge of fetch was rejected
    expansion_failed | it could not be cut into shards | fetch could not be cut into shards
    approval_rejected | it was rejected | fetch was rejected
    approval_timeout | the approval of it was not given in time | the approval of fetch was not given in time"
  `);
});

test("says why a run failed as a whole, and which phases did", () => {
  expect(describeEvent({ event: "run_failed", data: { cause: "budget_spent" } })).toBe(
    "run failed: the cost budget of the run is spent",
  );
});

function describeSuccess(tolerated_shards: unknown): string {
  return describeEvent({ event: "phase_succeeded", phase: "p", data: { tolerated_shards } });
}

test("names the shards an output goes without by their number, listed or counted", () => {
  expect([[3], 1, 0, [], "two"].map(describeSuccess)).toEqual([
    "p succeeded, 1 failed shard tolerated",
    "p succeeded, 1 failed shard tolerated",
    "p succeeded",
    "p succeeded",
    "p succeeded",
  ]);
});

test("keeps what a program calls its units on the line", () => {
  const metrics = [{ metric_key: "k", unit: "a\u001b[31m\nb", completed: 1 }];
  expect(describeEvent({ event: "phase_progress", phase: "p", data: { metrics } })).toBe("p has done 1 a b");
});

test("gives errors to what needs a person and debug to what comes once a shard", () => {
  expect(eventsOf("error")).toEqual([
    "run_failed",
    "phase_failed",
    "shard_failed",
    "artifact_rejected",
    "plan_aborted",
  ]);
  expect(eventsOf("debug")).toEqual(["phase_progress", "shard_started", "shard_reused", "shard_succeeded"]);
});
