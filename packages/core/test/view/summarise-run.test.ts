import type { EventName } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { emptyRunView, withPhases } from "../../src/view/run-view.ts";
import { summariseRun, wallTimeMs } from "../../src/view/summarise-run.ts";
import { journalOf, reduceAll, shardEvent, START_MS, type TestEvent, viewOf } from "./journal-fixture.ts";

const events: TestEvent[] = [
  { event: "run_queued", data: { plan_id: "tz", plan_version: "1.0", phase_count: 2 }, atMs: 0 },
  { event: "run_started", atMs: 500 },
  { event: "phase_started", phase: "p", data: { revision: 1, shard_count: 3 }, atMs: 500 },
  { ...shardEvent("shard_started", 0), atMs: 500 },
  { ...shardEvent("shard_started", 1), atMs: 500 },
  { ...shardEvent("shard_retry", 0, 1, { duration_ms: 1_000, why: "busy" }), atMs: 1_500 },
  { ...shardEvent("shard_succeeded", 1, 1, { duration_ms: 2_000 }), atMs: 2_500 },
  { ...shardEvent("shard_started", 0, 2), atMs: 2_500 },
  { ...shardEvent("shard_succeeded", 0, 2, { duration_ms: 2_000 }), atMs: 4_500 },
  { event: "phase_succeeded", phase: "p", data: { revision: 1 }, atMs: 4_500 },
  { event: "phase_skipped", phase: "q", data: { cause: "unreachable", cause_phase: "p" }, atMs: 4_500 },
  { event: "run_succeeded", atMs: 4_500 },
];

test("sums up times, attempts, phases and shards", () => {
  expect(summariseRun(viewOf(...events))).toEqual({
    run_id: "run_1",
    plan_id: "tz",
    plan_version: "1.0",
    status: "succeeded",
    wall_time_sec: 4,
    serial_time_sec: 5,
    speedup_vs_serial: 1.25,
    critical_path_sec: 4,
    critical_path: ["p"],
    attempts: 3,
    retries: 1,
    lost: 0,
    waste_ratio: 0.2,
    tokens: { prompt: 0, completion: 0, total: 0 },
    cost_estimate_usd: null,
    is_cost_partial: false,
    phases: { pending: 0, blocked: 0, running: 0, succeeded: 1, failed: 0, skipped: 1, cancelled: 0 },
    shards: { total: 3, running: 0, backoff: 0, succeeded: 2, failed: 0, cancelled: 0 },
    tolerated_failures: 0,
    tolerated_shards: 0,
    reused_shards: 0,
  });
});

test("knows no speed-up before anything ran", () => {
  expect(summariseRun(emptyRunView("run_1"))).toMatchObject({ wall_time_sec: 0, speedup_vs_serial: null });
  expect(summariseRun(viewOf({ event: "run_started" })).speedup_vs_serial).toBeNull();
});

test("measures a run up to its end, or up to now while it goes on", () => {
  expect(wallTimeMs(viewOf(...events), START_MS + 1e9)).toBe(4_000);
  expect(wallTimeMs(viewOf(...events.slice(0, 2)), START_MS + 2_000)).toBe(1_500);
  expect(wallTimeMs(viewOf(...events.slice(0, 1)), START_MS + 2_000)).toBe(0);
});

test("counts the time of every attempt without an accepted result as waste", () => {
  const phase = { event: "phase_started", phase: "p", data: { revision: 1, shard_count: 5 } } as const;
  const ends = ["shard_succeeded", "shard_retry", "shard_lost", "shard_failed", "shard_cancelled"] as const;
  const attempts = ends.flatMap((event, shard) => [
    shardEvent("shard_started", shard),
    shardEvent(event, shard, 1, { duration_ms: 1_000 }),
  ]);
  expect(summariseRun(viewOf(phase, ...attempts))).toMatchObject({ serial_time_sec: 5, waste_ratio: 0.8 });
  expect(summariseRun(viewOf(phase)).waste_ratio).toBeNull();
});

function used(shard: number, event: EventName, usage: Record<string, number> | null): TestEvent[] {
  return [shardEvent("shard_started", shard), shardEvent(event, shard, 1, usage === null ? {} : { usage })];
}

test("adds up tokens and cost over failed attempts too, and says when a cost is unknown", () => {
  const known = { prompt_tokens: 1_000, completion_tokens: 200, total_tokens: 1_200, cost_usd: 0.25 };
  const failed = [
    ...used(0, "shard_succeeded", known),
    ...used(1, "shard_retry", known),
    ...used(2, "shard_failed", known),
  ];
  expect(summariseRun(viewOf(...failed, ...used(3, "shard_succeeded", null)))).toMatchObject({
    tokens: { prompt: 3_000, completion: 600, total: 3_600 },
    cost_estimate_usd: 0.75,
    is_cost_partial: false,
  });
  const unpriced = used(4, "shard_succeeded", { total_tokens: 50 });
  expect(summariseRun(viewOf(...unpriced))).toMatchObject({
    tokens: { prompt: 0, completion: 0, total: 50 },
    cost_estimate_usd: null,
    is_cost_partial: false,
  });
  expect(summariseRun(viewOf(...unpriced, ...used(0, "shard_succeeded", known)))).toMatchObject({
    cost_estimate_usd: 0.25,
    is_cost_partial: true,
  });
});

test("counts the shards that outputs go without", () => {
  const view = viewOf(
    { event: "phase_succeeded", phase: "p", data: { revision: 1, tolerated_shards: 2 } },
    { event: "phase_succeeded", phase: "q", data: { revision: 1, tolerated_shards: [4] } },
  );
  expect(summariseRun(view).tolerated_shards).toBe(3);
});

test("finds the longest chain of phases, also while one of them runs", () => {
  const declared = [
    { id: "split", depends_on: [] },
    { id: "slow", depends_on: ["split"] },
    { id: "quick", depends_on: ["split"] },
    { id: "join", depends_on: ["slow", "quick"] },
  ];
  const lines = journalOf([
    { event: "run_started", atMs: 0 },
    { event: "phase_started", phase: "split", atMs: 0 },
    { event: "phase_succeeded", phase: "split", atMs: 1_000 },
    { event: "phase_started", phase: "slow", atMs: 1_000 },
    { event: "phase_started", phase: "quick", atMs: 1_000 },
    { event: "phase_succeeded", phase: "quick", atMs: 2_000 },
  ]);
  const view = reduceAll(lines, withPhases(emptyRunView("run_1"), declared));
  expect(summariseRun(view, START_MS + 5_000)).toMatchObject({
    critical_path_sec: 5,
    critical_path: ["split", "slow"],
    wall_time_sec: 5,
  });
});

test("does not count the time a phase was over before it was reopened", () => {
  const view = viewOf(
    { event: "run_started", atMs: 0 },
    { event: "phase_started", phase: "p", data: { revision: 1, shard_count: 1 }, atMs: 0 },
    { ...shardEvent("shard_started"), atMs: 0 },
    { ...shardEvent("shard_failed"), atMs: 1_000 },
    { event: "phase_failed", phase: "p", atMs: 1_000 },
    { event: "run_failed", atMs: 1_000 },
    { event: "run_reopened", phase: "p", atMs: 61_000 },
    { event: "phase_reopened", phase: "p", data: { cause_phase: "p" }, atMs: 61_000 },
    { ...shardEvent("shard_started", 0, 2), atMs: 61_000 },
    { ...shardEvent("shard_succeeded", 0, 2), atMs: 63_000 },
    { event: "phase_succeeded", phase: "p", data: { revision: 1 }, atMs: 63_000 },
    { event: "run_succeeded", atMs: 63_000 },
  );
  expect(summariseRun(view)).toMatchObject({ wall_time_sec: 3, critical_path_sec: 3, waste_ratio: 0.3333 });
});
