import type { RunView } from "@fanfold/core";
import { expect, test } from "vitest";
import { displayWidth } from "../../src/view/plain-text.ts";
import { runTree } from "../../src/view/run-tree.ts";
import { createPalette } from "../../src/view/text-style.ts";
import { failedRun, HOSTILE, hugeRun, runningRun, START_MS, TestRun } from "./run-fixture.ts";

function tree(view: RunView, columns = 80, rows = 24): string[] {
  return runTree(view, { columns, rows, nowMs: START_MS + 6_500, palette: createPalette(false) });
}

test("shows each phase with its status, shards, time and what is behind them", () => {
  expect(tree(runningRun().view, 100).join("\n")).toMatchInlineSnapshot(`
    "tz 1.0  running  1/4 phases  34 %  6.4 s, 12.6 s left  run_1
      split    succeeded  1/1 shard    1.0 s
      compile  running    4/11 shards  5.4 s  [###.......]  36 %  2 running  1 backoff  1 lost
      links    pending                        waits for compile
      verify   pending                        waits for links
    retried: compile[6], attempt 1, exit code 1: zic: line 12: no such rule"
  `);
});

test("gives up the time left, the bar, the percent, then the time, then words on a narrow terminal", () => {
  const rows = [110, 100, 80, 72, 60].map((columns) => tree(runningRun().view, columns)[2]);
  expect(rows.join("\n")).toMatchInlineSnapshot(`
    "  compile  running    4/11 shards  5.4 s  [###.......]  36 %, 9.6 s left  2 running  1 backoff  1 lost
      compile  running    4/11 shards  5.4 s  [###.......]  36 %  2 running  1 backoff  1 lost
      compile  running    4/11 shards  5.4 s  36 %  2 running  1 backoff  1 lost
      compile  running    4/11 shards  5.4 s  2 running  1 backoff  1 lost
      compile  running    4/11 shards  2 running  1 backoff  1 …"
  `);

  expect(tree(runningRun().view, 40).join("\n")).toMatchInlineSnapshot(`
    "tz 1.0  running  1/4 phases  34 %  6.4 …
      split    succeeded  1/1   1.0 s
      compile  running    4/11  2 running  …
      links    pending          waits for c…
      verify   pending          waits for l…
    retried: compile[6], attempt 1, exit co…"
  `);
});

test("says what failed, why, and what did not run because of it", () => {
  expect(tree(failedRun().view).join("\n")).toMatchInlineSnapshot(`
    "tz 1.0  failed  4/4 phases  8.2 s  run_1
      split    succeeded  1/1 shard    1.0 s
      compile  failed     6/11 shards  7.2 s  1 failed  1 lost
      links    cancelled               the failure of compile aborted the plan
      verify   cancelled               the failure of compile aborted the plan
    failed: compile[6], attempt 2, exit code 1: zic: line 12: no such rule
      next: read the shard's log, repair the records, then retry"
  `);
});

test("shows declared phases before anything happened", () => {
  expect(tree(new TestRun().view).join("\n")).toMatchInlineSnapshot(`
    "run  queued  0/4 phases  run_1
      split    pending
      compile  pending    waits for split
      links    pending    waits for split, compile
      verify   pending    waits for links"
  `);
});

test("names what a phase waits for only while it can still start", () => {
  const cancelled = new TestRun().add(0, "run_cancelled");
  expect(tree(cancelled.view).join("\n")).not.toContain("waits for");
});

test("tells of revisions, staleness, blocks and merges", () => {
  const run = new TestRun([
    { id: "old", depends_on: [] },
    { id: "new", depends_on: ["a", "b", "c", "d"] },
    { id: "merge", depends_on: [] },
    { id: "held", depends_on: [] },
  ])
    .add(0, "phase_started", { phase: "old" }, { revision: 2, shard_count: 0 })
    .add(0, "phase_succeeded", { phase: "old" })
    .add(0, "phase_invalidated", { phase: "old" })
    .add(0, "artifact_rejected", { phase: "merge" }, { why: "expected 447 records, got 446" })
    .add(0, "phase_failed", { phase: "merge" }, { why: "merge rejected" })
    .add(0, "phase_blocked", { phase: "held" }, { why: "split has no output" })
    .add(0, "run_paused");
  expect(tree(run.view).join("\n")).toMatchInlineSnapshot(`
    "run  queued (paused)  3/4 phases  run_1
      old    succeeded  0/0 shards  0 ms  revision 2  stale
      new    pending                      waits for a, b, c and 1 more
      merge  failed                       expected 447 records, got 446
      held   blocked                      split has no output
    failed: merge: expected 447 records, got 446"
  `);
});

test("fits a thousand phases on a small terminal: what fails and runs is named, the rest is counted", () => {
  const view = hugeRun({ succeeded: 500, failed: 2, running: 4 }).view;
  expect(tree(view, 60, 14).join("\n")).toMatchInlineSnapshot(`
    "run  running  502/1000 phases  50 %  6.5 s, 6.5 s left  run…
      phase-500  failed     0/2 shards  1 ms   no 500
      phase-501  failed     0/2 shards  1 ms   no 501
      phase-502  running    0/2 shards  5.4 s  [..........]  0 %
      phase-503  running    0/2 shards  5.4 s  [..........]  0 %
      phase-504  running    0/2 shards  5.4 s  [..........]  0 %
      phase-505  running    0/2 shards  5.4 s  [..........]  0 %
      phase-506  pending
      phase-507  pending
      phase-508  pending
      phase-509  pending
      phase-510  pending
      … and 489 pending, 500 succeeded
    failed: phase-501: no 501"
  `);
});

test("shows running phases beside any number of failed ones", () => {
  const lines = tree(hugeRun({ succeeded: 0, failed: 900, running: 50 }).view, 60, 20);
  expect(lines).toHaveLength(20);
  expect(lines.filter((line) => /^ {2}phase-\d+ +running/.test(line))).toHaveLength(8);
  expect(lines.filter((line) => /^ {2}phase-\d+ +failed/.test(line))).toHaveLength(9);
});

test.each([1, 2, 3, 5, 23, 200])("never takes more than %d lines, and never a line too wide", (rows) => {
  for (const columns of [1, 10, 40, 120]) {
    for (const run of [runningRun(), failedRun(), hugeRun({ succeeded: 10, failed: 20, running: 30 })]) {
      const lines = tree(run.view, columns, rows);
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  }
});

test("cuts names that are too long, and keeps wide ones in line", () => {
  const run = new TestRun([
    { id: "x".repeat(100), depends_on: [] },
    { id: "漢字漢字", depends_on: [] },
  ]);
  expect(tree(run.view, 40).join("\n")).toMatchInlineSnapshot(`
    "run  queued  0/2 phases  run_1
      xxxxxxxxxxxx…  pending
      漢字漢字       pending"
  `);
});

test("prints hostile text without what makes it hostile", () => {
  const run = new TestRun([{ id: HOSTILE, depends_on: [HOSTILE] }], HOSTILE)
    .add(0, "run_queued", {}, { plan_id: HOSTILE, plan_version: HOSTILE })
    .add(
      0,
      "shard_failed",
      { phase: HOSTILE, shard: 0, attempt: 1 },
      { why: HOSTILE, next_action: HOSTILE, signal: HOSTILE },
    );
  const text = tree(run.view, 200).join("\n");
  expect(text).toMatch(/^[\n -~]*$/);
  expect(text).toMatchInlineSnapshot(`
    "redreversed next line end redreversed next line end  queued  0/1 phase  redreversed next line end
      redreversed next line end  pending    0/1 shard  1 failed  waits for redreversed next line end
    failed: redreversed next line end[0], attempt 1, killed by redreversed next line end: redreversed next line end
      next: redreversed next line end"
  `);
});

test("colours a status beside its word", () => {
  const [headline] = runTree(failedRun().view, {
    columns: 80,
    rows: 24,
    nowMs: START_MS,
    palette: createPalette(true),
  });
  expect(headline).toContain("\u001b[31m  failed\u001b[39m");
});

test("shows how far a single shard says it is, and marks what is guessed", () => {
  const run = new TestRun([{ id: "scan", depends_on: [] }])
    .add(0, "run_started")
    .add(0, "phase_started", { phase: "scan" }, { revision: 1, shard_count: 1 })
    .add(0, "shard_started", { phase: "scan", shard: 0, attempt: 1 });
  expect(tree(run.view)[1]).toBe("  scan  running    0/1 shard  6.5 s  1 running");
  const metric = { metric_key: "lines", unit: "lines", completed: 450, total: 1_000, total_status: "estimated" };
  run.add(0, "phase_progress", { phase: "scan" }, { revision: 1, metrics: [metric] });
  expect(tree(run.view).slice(0, 2).join("\n")).toMatchInlineSnapshot(`
    "run  running  0/1 phase  ~45 %  6.5 s, 8.0 s left  run_1
      scan  running    0/1 shard  6.5 s  [####......]  ~45 %, 8.0 s left  1 running"
  `);
});

test("names all that a blocked phase lacks, and a failure before it", () => {
  const run = new TestRun([
    { id: "held", depends_on: ["a", "b"] },
    { id: "left", depends_on: [] },
  ])
    .add(0, "phase_skipped", { phase: "left" }, { cause: "not_selected", cause_phase: null })
    .add(0, "phase_blocked", { phase: "held" }, { error_code: "missing_dependency", missing: ["a", "b[os=mac]"] });
  expect(tree(run.view).join("\n")).toMatchInlineSnapshot(`
    "run  queued  2/2 phases  run_1
      held  blocked    no accepted output of a, b[os=mac]
      left  skipped    it does not take part in this run
    blocked: held: no accepted output of a, b[os=mac]"
  `);
  run.add(0, "phase_failed", { phase: "other" }, { why: "no" }).add(0, "run_failed");
  expect(tree(run.view).at(-1)).toBe("failed: other: no");
});

test("does not count the time a phase was over before it was retried", () => {
  const run = new TestRun([{ id: "p", depends_on: [] }])
    .add(0, "phase_started", { phase: "p" }, { revision: 1, shard_count: 1 })
    .add(1_000, "phase_failed", { phase: "p" })
    .add(60_000, "phase_reopened", { phase: "p" }, { cause_phase: "p" })
    .add(2_000, "phase_succeeded", { phase: "p" });
  expect(tree(run.view)[1]).toContain("3.0 s");
});
