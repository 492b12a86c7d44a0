import { expect, test } from "vitest";
import { runDocument } from "../../src/view/run-document.ts";
import { shardEvent, START_MS, type TestEvent, viewOf } from "./journal-fixture.ts";

const events: TestEvent[] = [
  { event: "run_queued", data: { plan_id: "tz", plan_version: "1.0", phase_count: 2 }, atMs: 0 },
  { event: "run_started", atMs: 500 },
  { event: "phase_started", phase: "p", data: { revision: 1, shard_count: 4 }, atMs: 500 },
  { ...shardEvent("shard_started", 0), atMs: 500 },
  { ...shardEvent("shard_started", 1), atMs: 500 },
  { ...shardEvent("shard_retry", 0, 1, { duration_ms: 1_000, why: "busy" }), atMs: 1_500 },
  {
    ...shardEvent("shard_succeeded", 1, 1, { duration_ms: 2_000, usage: { total_tokens: 7, cost_usd: 2 } }),
    atMs: 2_500,
  },
  { ...shardEvent("shard_started", 2), atMs: 2_500 },
];

test("turns a view into plain JSON that loses nothing on the way", () => {
  const document = runDocument(viewOf(...events));
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  expect(document).toMatchObject({
    run_id: "run_1",
    status: "running",
    cause: null,
    progress: { percent: 25, percent_mode: "final", eta_sec: 6 },
    phase_counts: { running: 1 },
    phases: [
      {
        phase: "p",
        status: "running",
        wall_time_sec: 2,
        serial_time_sec: 3,
        wasted_time_sec: 1,
        tokens: { prompt: 0, completion: 0, total: 7 },
        cost_estimate_usd: 2,
        progress: { percent: 25, percent_mode: "final", eta_sec: 6 },
        shards: { total: 4, running: 1, backoff: 1, waiting: 1 },
        problem: { why: "busy" },
      },
    ],
  });
  expect(document.phases[0]?.open_shards.map((shard) => [shard.shard, shard.status])).toEqual([
    [0, "backoff"],
    [2, "running"],
  ]);
});

test("measures what is under way up to the time it is given", () => {
  const document = runDocument(viewOf(...events), START_MS + 8_500);
  expect(document).toMatchObject({ wall_time_sec: 8, progress: { eta_sec: 24 } });
  expect(document.phases[0]).toMatchObject({ wall_time_sec: 8, progress: { eta_sec: 24 } });
});

test("shows what of a view is for programs, and nothing of how it is kept", () => {
  const [phase] = runDocument(viewOf(...events)).phases;
  expect(Object.keys(phase ?? {})).toMatchInlineSnapshot(`
    [
      "phase",
      "status",
      "revision",
      "is_stale",
      "stale_cause",
      "depends_on",
      "started_at_ms",
      "finished_at_ms",
      "wall_time_sec",
      "serial_time_sec",
      "wasted_time_sec",
      "progress",
      "approval",
      "cause",
      "missing",
      "problem",
      "attempts",
      "retries",
      "lost",
      "tokens",
      "cost_estimate_usd",
      "is_cost_partial",
      "shards",
      "tolerated_shards",
      "reused_shards",
      "open_shards",
      "artifacts",
    ]
  `);
  expect(phase?.progress.metrics).toMatchInlineSnapshot(`
    [
      {
        "completed": 1,
        "eta_sec": 6,
        "metric_key": "shards",
        "percent": 25,
        "percent_mode": "final",
        "total": 4,
        "total_status": "locked",
        "unit": "shards",
      },
    ]
  `);
});

test("names what a blocked phase lacks", () => {
  const view = viewOf({ event: "phase_blocked", phase: "q", data: { missing: ["a", "b"] } });
  expect(runDocument(view).phases).toMatchObject([
    {
      status: "blocked",
      missing: ["a", "b"],
      cause: { code: "missing_dependency", phase: null },
      problem: { error_code: "missing_dependency", why: "no accepted output of a, b" },
      wall_time_sec: null,
    },
  ]);
});
