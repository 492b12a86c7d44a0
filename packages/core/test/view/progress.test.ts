import type { JournalLine } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { phaseProgressAt } from "../../src/view/progress-phase.ts";
import { runProgressAt } from "../../src/view/progress-run.ts";
import { emptyRunView, type RunView, withPhases } from "../../src/view/run-view.ts";
import { journalOf, reduceAll, shardEvent, START_MS, type TestEvent, viewOf } from "./journal-fixture.ts";

type Data = JournalLine["data"];

function opened(phase = "p", shard_count = 4, revision = 1): TestEvent {
  return { event: "phase_started", phase, data: { revision, shard_count } };
}

function reports(metrics: readonly Data[], phase = "p", revision = 1): TestEvent {
  return { event: "phase_progress", phase, data: { revision, metrics: [...metrics] } };
}

function lines(completed: number, total: number | null, total_status = "locked"): Data {
  return { metric_key: "lines", unit: "lines", completed, total, total_status };
}

function done(...shards: number[]): TestEvent[] {
  return shards.flatMap((shard) => [shardEvent("shard_started", shard), shardEvent("shard_succeeded", shard)]);
}

function progressOf(view: RunView, nowMs = view.last_at_ms ?? 0, phase = "p") {
  const found = view.phases.get(phase);
  if (found === undefined) throw new Error(`the journal names no phase ${phase}`);
  return phaseProgressAt(found, nowMs);
}

test("measures a phase by its shards where nothing else is reported", () => {
  expect(progressOf(viewOf(opened(), ...done(0)), START_MS + 10_000)).toEqual({
    percent: 25,
    percent_mode: "final",
    eta_sec: 30,
    metrics: [
      {
        metric_key: "shards",
        unit: "shards",
        completed: 1,
        total: 4,
        total_status: "locked",
        percent: 25,
        percent_mode: "final",
        eta_sec: 30,
      },
    ],
  });
});

test("knows nothing of a phase before its shards are cut", () => {
  const view = withPhases(emptyRunView("run_1"), [{ id: "p", depends_on: [] }]);
  expect(progressOf(view)).toEqual({ percent: null, percent_mode: "unavailable", eta_sec: null, metrics: [] });
  const noCount = viewOf({ event: "phase_started", phase: "p", data: { revision: 1 } });
  expect(progressOf(noCount)).toMatchObject({ percent: null, metrics: [{ total: null, total_status: "unknown" }] });
});

test("takes shards it was not told of for discovered", () => {
  const progress = progressOf(viewOf(...done(0, 1)));
  expect(progress).toMatchObject({ percent: 99, percent_mode: "lower_bound", eta_sec: null });
});

test("measures a phase by what its shards report, however coarse the shards are", () => {
  const view = viewOf(opened("p", 1), reports([lines(400, 1_000)]));
  expect(progressOf(view, START_MS + 4_000)).toMatchObject({ percent: 40, percent_mode: "final", eta_sec: 6 });
});

test("takes the least of what is reported, and the slowest", () => {
  const files = { metric_key: "files", completed: 1, total: 10, total_status: "estimated" };
  const view = viewOf(opened("p", 1), reports([lines(500, 1_000), files]));
  expect(progressOf(view, START_MS + 10_000)).toMatchObject({
    percent: 10,
    percent_mode: "estimated",
    eta_sec: 90,
    metrics: [
      { metric_key: "shards", eta_sec: null },
      { metric_key: "lines", eta_sec: 10 },
      { metric_key: "files", unit: "files", eta_sec: 90 },
    ],
  });
});

test("goes by the shards while what is reported has no total", () => {
  const view = viewOf(opened(), ...done(0, 1), reports([lines(12, null, "unknown")]));
  expect(progressOf(view)).toMatchObject({ percent: 50, percent_mode: "final" });
});

test("goes by the shards too while the total of what is reported is only partly known", () => {
  const reported = reports([lines(90, 100, "discovering")]);
  const view = viewOf(opened(), ...done(0, 1), reported);
  expect(progressOf(view)).toMatchObject({ percent: 50, percent_mode: "lower_bound" });
  expect(progressOf(viewOf(opened(), reported))).toMatchObject({ percent: 0, percent_mode: "lower_bound" });
});

test("does not fall when a total grows, a shard starts over, or a metric comes late", () => {
  const start = [opened("p", 2), reports([lines(50, 100)])];
  const held = { percent: 50, percent_mode: "estimated" };
  const grown = progressOf(viewOf(...start, reports([lines(60, 1_000)])), START_MS + 6_000);
  expect(grown).toMatchObject({ ...held, eta_sec: 94, metrics: [{}, { completed: 60, total: 1_000, percent: 50 }] });
  expect(progressOf(viewOf(...start, reports([lines(0, 100)])))).toMatchObject(held);
  const late = { metric_key: "files", completed: 1, total: 100, total_status: "locked" };
  expect(progressOf(viewOf(...start, reports([late])))).toMatchObject({
    ...held,
    metrics: [{}, { metric_key: "lines", percent: 50, percent_mode: "final" }, { metric_key: "files", percent: 1 }],
  });
});

test("keeps a metric that a later report leaves out", () => {
  const files = { metric_key: "files", completed: 9, total: 10, total_status: "locked" };
  const view = viewOf(opened("p", 1), reports([lines(1, 10)]), reports([files]), reports([lines(2, 10)]));
  expect(progressOf(view).metrics.map((metric) => [metric.metric_key, metric.completed])).toEqual([
    ["shards", 0],
    ["lines", 2],
    ["files", 9],
  ]);
});

test("is done when the phase is, whatever was last reported", () => {
  const view = viewOf(opened("p", 2), reports([lines(50, 100)]), { event: "phase_succeeded", phase: "p" });
  expect(progressOf(view)).toMatchObject({ percent: 100, percent_mode: "final", eta_sec: 0 });
});

test("is complete with no shards at all", () => {
  expect(progressOf(viewOf(opened("p", 0)))).toMatchObject({ percent: 100, percent_mode: "final", eta_sec: 0 });
});

test("stays where it is, with no time left, when the phase fails", () => {
  const view = viewOf(opened(), ...done(0), { event: "phase_failed", phase: "p" });
  expect(progressOf(view)).toMatchObject({ percent: 25, eta_sec: null });
});

test("starts from nothing with a new revision, and ignores reports of the earlier one", () => {
  const view = viewOf(
    opened("p", 2),
    ...done(0, 1),
    { event: "phase_succeeded", phase: "p", data: { revision: 1 } },
    opened("p", 2, 2),
    reports([lines(90, 100)], "p", 1),
  );
  expect(progressOf(view)).toMatchObject({ percent: 0, percent_mode: "final", metrics: [{ metric_key: "shards" }] });
});

test("counts the rate of a reopened phase from its reopening", () => {
  const view = viewOf(
    { ...opened(), atMs: 0 },
    ...done(0, 1).map((event) => ({ ...event, atMs: 1_000 })),
    { event: "phase_failed", phase: "p", atMs: 2_000 },
    { event: "phase_reopened", phase: "p", data: { cause_phase: "p" }, atMs: 1_000_000 },
    { ...shardEvent("shard_started", 2), atMs: 1_000_000 },
    { ...shardEvent("shard_succeeded", 2), atMs: 1_004_000 },
  );
  expect(progressOf(view)).toMatchObject({ percent: 75, eta_sec: 4 });
});

test("keeps a bounded number of metrics, and leaves the shards to itself", () => {
  const many = Array.from({ length: 100 }, (_, index) => ({ metric_key: `m${index}`, completed: 1, total: 2 }));
  const shards = { metric_key: "shards", completed: 999, total: 1_000, total_status: "locked" };
  const view = viewOf(opened(), reports([shards, ...many]), reports(many));
  expect(progressOf(view).metrics).toHaveLength(21);
  expect(progressOf(view).metrics[0]).toMatchObject({ metric_key: "shards", completed: 0, total: 4 });
});

test("leaves out reports that make no sense", () => {
  const bad = [
    { metric_key: "", completed: 1 },
    { metric_key: "a", completed: -1 },
    { metric_key: "b" },
    { metric_key: "x".repeat(101), completed: 1 },
    { metric_key: "c", completed: 1, total: -5, total_status: "locked" },
    { metric_key: "d", completed: 1, total: 5, total_status: "certain" },
  ];
  const { metrics } = progressOf(viewOf(opened(), reports(bad)));
  expect(metrics.slice(1)).toMatchObject([
    { metric_key: "c", total: null, total_status: "unknown" },
    { metric_key: "d", total: 5, total_status: "estimated" },
  ]);
});

const DECLARED = ["a", "b", "c", "d"].map((id) => ({ id, depends_on: [] }));

function runOf(...events: TestEvent[]): RunView {
  return reduceAll(journalOf(events), withPhases(emptyRunView("run_1"), DECLARED));
}

const started: TestEvent = { event: "run_started" };
const end = (event: TestEvent["event"], phase: string): TestEvent => ({ event, phase, data: { revision: 1 } });

test("gives every phase of a run the same weight", () => {
  const view = runOf(started, opened("a", 1), end("phase_succeeded", "a"), opened("b", 4), {
    ...shardEvent("shard_succeeded"),
    phase: "b",
  });
  expect(runProgressAt(view, START_MS + 10_000)).toEqual({ percent: 31.25, percent_mode: "final", eta_sec: 22 });
});

test("leaves skipped phases out, and keeps what cancelled and failed ones did", () => {
  const skipped = runOf(started, end("phase_succeeded", "a"), end("phase_skipped", "b"), end("phase_skipped", "c"));
  expect(runProgressAt(skipped, START_MS).percent).toBe(50);
  const cancelled = runOf(started, end("phase_succeeded", "a"), end("phase_cancelled", "b"), end("phase_failed", "c"));
  expect(runProgressAt(cancelled, START_MS).percent).toBe(25);
});

test("is a lower bound while it does not know how far a phase is, an estimate while a phase is one", () => {
  const unknown = runOf(started, { event: "phase_started", phase: "a", data: { revision: 1 } });
  expect(runProgressAt(unknown, START_MS)).toMatchObject({ percent: 0, percent_mode: "lower_bound" });
  const estimated = runOf(started, opened("a"), reports([lines(1, 2, "estimated")], "a"));
  expect(runProgressAt(estimated, START_MS)).toMatchObject({ percent: 12.5, percent_mode: "estimated" });
  const over = runOf(started, opened("a"), reports([lines(1, 2, "estimated")], "a"), end("phase_failed", "a"));
  expect(runProgressAt(over, START_MS)).toMatchObject({ percent: 12.5, percent_mode: "final" });
});

test("is done when the run has succeeded, though a failed phase was tolerated", () => {
  const view = runOf(started, end("phase_failed", "a"), { event: "run_succeeded", data: { tolerated_failures: 1 } });
  expect(runProgressAt(view, START_MS)).toEqual({ percent: 100, percent_mode: "final", eta_sec: 0 });
});

test("stays where it is, with no time left, when the run fails or is cancelled", () => {
  for (const event of ["run_failed", "run_cancelled"] as const) {
    const view = runOf(started, end("phase_succeeded", "a"), { event });
    expect(runProgressAt(view, START_MS + 1e6)).toEqual({ percent: 25, percent_mode: "final", eta_sec: null });
  }
});

test("tells no time left of a run that is paused or has done nothing", () => {
  expect(runProgressAt(runOf(started), START_MS + 1_000).eta_sec).toBeNull();
  const paused = runOf(started, end("phase_succeeded", "a"), { event: "run_paused" });
  expect(runProgressAt(paused, START_MS + 1_000).eta_sec).toBeNull();
});

test("falls only when work that was over is taken up again, and counts its rate from there", () => {
  const events: TestEvent[] = [
    { ...started, atMs: 0 },
    { ...end("phase_succeeded", "a"), atMs: 1_000 },
    { ...end("phase_skipped", "b"), atMs: 1_000 },
    { ...end("phase_succeeded", "c"), atMs: 1_000 },
    { ...end("phase_failed", "d"), atMs: 1_000 },
    { event: "run_failed", atMs: 1_000 },
  ];
  expect(runProgressAt(runOf(...events), START_MS).percent).toBe(66.66);
  const again: TestEvent[] = [
    ...events,
    { event: "run_reopened", phase: "d", atMs: 100_000 },
    { event: "phase_reopened", phase: "d", data: { cause_phase: "d" }, atMs: 100_000 },
    { event: "phase_reopened", phase: "b", data: { cause_phase: "d" }, atMs: 100_000 },
  ];
  expect(runProgressAt(runOf(...again), START_MS + 101_000)).toMatchObject({ percent: 50, eta_sec: null });
  const later = runOf(...again, { ...end("phase_succeeded", "d"), atMs: 104_000 });
  expect(runProgressAt(later, START_MS + 104_000)).toMatchObject({ percent: 75, eta_sec: 4 });
});

test("does not fall when a phase turns up that was not declared", () => {
  const view = viewOf(started, end("phase_succeeded", "a"), opened("b"));
  expect(runProgressAt(view, START_MS)).toEqual({ percent: 100, percent_mode: "estimated", eta_sec: null });
});
