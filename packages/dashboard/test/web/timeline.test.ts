import type { EventName, JournalLine } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { TimelineModel } from "../../web/src/timeline/timeline-model.ts";
import { barsOf, phaseRows, ticksOf, workerRows } from "../../web/src/timeline/timeline-rows.ts";
import { patchRows } from "../../web/src/run/patch-rows.ts";

type Place = Partial<Pick<JournalLine, "phase" | "shard" | "attempt" | "data">>;

/** Lines of a journal at the given ms. */
function journal(...entries: [atMs: number, event: EventName, place?: Place][]): JournalLine[] {
  return entries.map(([atMs, event, place], index) => ({
    seq: index + 1,
    timestamp: new Date(atMs).toISOString(),
    level: "info",
    event,
    run_id: "r",
    phase: null,
    shard: null,
    attempt: null,
    message: "",
    data: {},
    ...place,
  }));
}

const shard = (index: number, attempt = 1, worker = "w1"): Place => ({
  phase: "a",
  shard: index,
  attempt,
  data: { worker },
});

const LINES = journal(
  [0, "run_queued"],
  [10, "run_started"],
  [20, "phase_started", { phase: "a", data: { shard_count: 2 } }],
  [30, "shard_started", shard(0)],
  [35, "shard_started", shard(1)],
  [50, "shard_retry", shard(0)],
  [60, "shard_succeeded", shard(1)],
  [80, "shard_started", shard(0, 2, "w2")],
  [95, "shard_lost", shard(0, 2)],
  [99, "shard_started", shard(0, 3)],
);

describe("TimelineModel", () => {
  test("tells what each shard, phase and worker spent its time with", () => {
    const model = new TimelineModel();
    model.add(LINES.slice(0, 5));
    model.add(LINES.slice(2));
    const told = model.shardSegments("a", 0).map(({ kind, startMs, endMs }) => [kind, startMs, endMs]);
    expect(told).toEqual([
      ["queued", 20, 30],
      ["failed", 30, 50],
      ["backoff", 50, 80],
      ["lost", 80, 95],
      ["queued", 95, 99],
      ["running", 99, undefined],
    ]);
    expect(model.phases.get("a")?.map(({ kind, startMs }) => [kind, startMs])).toEqual([
      ["waiting", 0],
      ["running", 20],
    ]);
    expect(workerRows(model).map(({ title, segments }) => [title, segments.length])).toEqual([
      ["w1", 2],
      ["", 1],
      ["w2", 1],
    ]);
    expect(phaseRows(model, ["a", "b"], "a").map(({ title }) => title)).toEqual(["a", "[0]", "[1]", "b"]);
  });

  test("tells the wait for a person from work", () => {
    const model = new TimelineModel();
    model.add(
      journal(
        [0, "run_started"],
        [20, "phase_started", { phase: "a" }],
        [20, "approval_requested", { phase: "a" }],
        [90, "approval_given", { phase: "a" }],
        [90, "phase_succeeded", { phase: "a" }],
      ),
    );
    expect(model.phases.get("a")?.map(({ kind, startMs, endMs }) => [kind, startMs, endMs])).toEqual([
      ["waiting", 0, 20],
      ["waiting", 20, 90],
      ["succeeded", 90, 90],
    ]);
  });

  test("draws no more bars than there are pixels", () => {
    const segments = Array.from({ length: 10_000 }, (_, n) => ({
      kind: "succeeded" as const,
      phase: "a",
      startMs: n,
      endMs: n + 1,
    }));
    const bars = barsOf(segments, { fromMs: 0, toMs: 10_000 }, 100, 10_000);
    expect(bars.length).toBeLessThanOrEqual(101);
    expect(ticksOf({ fromMs: 0, toMs: 10_000 }, 0, 600)).toEqual([0, 2_000, 4_000, 6_000, 8_000, 10_000]);
  });
});

describe("patchRows", () => {
  test("moves rows along with the journal and leaves the others as they are", () => {
    const fresh = (index: number) => ({
      shard: index,
      status: "waiting" as const,
      attempt: null,
      worker: null,
      started_at_ms: null,
      finished_at_ms: null,
      duration_ms: null,
      attempts: 0,
      failure: null,
      job_url: null,
    });
    const rows = [fresh(2), fresh(1), fresh(0)];
    const patched = patchRows(rows, LINES);
    expect(patched[0]).toBe(rows[0]);
    expect(patched[1]).toMatchObject({ status: "succeeded", attempts: 1, duration_ms: 25, worker: "w1" });
    expect(patched[2]).toMatchObject({ status: "running", attempt: 3, attempts: 3, failure: null });
  });
});
