import { expect, test } from "vitest";
import { emptyRunView } from "../../src/view/run-view.ts";
import { runDocument, summariseRun, wallTimeMs } from "../../src/view/summarise-run.ts";
import { shardEvent, START_MS, type TestEvent, viewOf } from "./journal-fixture.ts";

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
    attempts: 3,
    retries: 1,
    lost: 0,
    phases: { pending: 0, running: 0, succeeded: 1, failed: 0, skipped: 1, cancelled: 0 },
    shards: { total: 3, running: 0, backoff: 0, succeeded: 2, failed: 0, cancelled: 0 },
    tolerated_failures: 0,
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

test("turns a view into plain JSON that loses nothing on the way", () => {
  const document = runDocument(viewOf(...events.slice(0, 6)));
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  expect(document).toMatchObject({
    run_id: "run_1",
    status: "running",
    phase_counts: { running: 1 },
    phases: [
      {
        phase: "p",
        status: "running",
        shards: { total: 3, running: 1, backoff: 1, waiting: 1 },
        problem: { why: "busy" },
      },
    ],
  });
  expect(document.phases[0]?.open_shards.map((shard) => [shard.shard, shard.status])).toEqual([
    [0, "backoff"],
    [1, "running"],
  ]);
});
