import { expect, test } from "vitest";
import { createRunReporter } from "../../src/view/run-reporter.ts";
import { failedRun, hugeRun, runningRun, START_MS, succeededRun, TestRun } from "./run-fixture.ts";
import { TestScreen } from "./test-screen.ts";

/** Reports a run line by line, at the times of its journal. */
function report(run: TestRun, screen: TestScreen, options: { readonly isTty: boolean; readonly end?: boolean }): void {
  let nowMs = START_MS;
  const reporter = createRunReporter({ stream: screen, isTty: options.isTty, color: false, nowMs: () => nowMs });
  const replay = new TestRun(undefined, run.view.run_id);
  for (const { event, phase, shard, attempt, data, timestamp } of run.lines) {
    const afterMs = Date.parse(timestamp) - nowMs;
    nowMs += afterMs;
    replay.add(afterMs, event, { phase, shard, attempt }, data);
    const line = replay.lines.at(-1);
    if (line !== undefined) reporter.onLine(line, replay.view);
  }
  nowMs += 1_000;
  reporter.tick();
  if (options.end !== false) reporter.end(replay.view);
}

test("redraws the tree in place on a terminal", () => {
  const screen = new TestScreen(80, 24);
  screen.write("$ fanfold run plan.yaml\n");
  report(runningRun(), screen, { isTty: true, end: false });
  expect(screen.text).toMatchInlineSnapshot(`
    "$ fanfold run plan.yaml
    tz 1.0  running  1/4 phases  34 %  6.7 s, 13.1 s left  run_1
      split    succeeded  1/1 shard    1.0 s
      compile  running    4/11 shards  5.7 s  36 %  2 running  1 backoff  1 lost
      links    pending                        waits for compile
      verify   pending                        waits for links
    retried: compile[6], attempt 1, exit code 1: zic: line 12: no such rule"
  `);
});

test("leaves the last state standing, and one tree only", () => {
  const screen = new TestScreen(80, 24);
  screen.write("$ fanfold run plan.yaml\n");
  report(failedRun(), screen, { isTty: true });
  screen.write("after\n");
  expect(screen.text).toMatchInlineSnapshot(`
    "$ fanfold run plan.yaml
    tz 1.0  failed  4/4 phases  8.2 s  run_1
      split    succeeded  1/1 shard    1.0 s
      compile  failed     6/11 shards  7.2 s  1 failed  1 lost
      links    cancelled               the failure of compile aborted the plan
      verify   cancelled               the failure of compile aborted the plan
    failed: compile[6], attempt 2, exit code 1: zic: line 12: no such rule
      next: read the shard's log, repair the records, then retry
    after"
  `);
});

test("redraws a tree that grows and shrinks without leaving anything behind", () => {
  const screen = new TestScreen(80, 24);
  const run = new TestRun([]);
  let nowMs = START_MS;
  const reporter = createRunReporter({ stream: screen, isTty: true, color: false, nowMs: () => nowMs });
  for (const phase of ["a", "b", "c"]) {
    run
      .add(1_000, "phase_started", { phase }, { shard_count: 3 })
      .add(0, "shard_started", { phase, shard: 0, attempt: 1 })
      .add(0, "shard_retry", { phase, shard: 0, attempt: 1 }, { why: `trouble in ${phase}`, next_action: "wait" });
    nowMs += 1_000;
    reporter.onLine(run.lines.at(-1)!, run.view);
    run.work(phase, 0, 2);
    nowMs += 1_000;
    reporter.onLine(run.lines.at(-1)!, run.view);
  }
  expect(screen.text).toMatchInlineSnapshot(`
    "run  queued  0/3 phases  run_1
      a  running    1/3 shards  5.0 s  [###.......]  33 %, 10.0 s left
      b  running    1/3 shards  3.0 s  [###.......]  33 %, 6.0 s left
      c  running    1/3 shards  1.0 s  [###.......]  33 %, 2.0 s left"
  `);
});

test("uses the room of a terminal that was made larger", () => {
  const screen = new TestScreen(80, 6);
  const ids = Array.from({ length: 9 }, (_, index) => `phase-${index}`);
  const run = new TestRun(ids.map((id) => ({ id, depends_on: [] })));
  run.add(0, "phase_blocked", { phase: "phase-1" }, { why: "no input" });
  const reporter = createRunReporter({ stream: screen, isTty: true, color: false, nowMs: () => START_MS });
  for (const line of run.lines.slice(0, 1)) reporter.onLine(line, run.view);
  expect(screen.text).toMatchInlineSnapshot(`
    "run  queued  1/9 phases  run_1
      phase-0  pending
      phase-1  blocked    no input
      … and 7 pending
    blocked: phase-1: no input"
  `);
  screen.rows = 9;
  reporter.tick();
  expect(screen.text).toMatchInlineSnapshot(`
    "run  queued  1/9 phases  run_1
      phase-0  pending
      phase-1  blocked    no input
      phase-2  pending
      phase-3  pending
      phase-4  pending
      … and 4 pending
    blocked: phase-1: no input"
  `);
});

test("keeps within the height of the terminal however many phases there are", () => {
  const screen = new TestScreen(60, 12);
  const run = hugeRun({ succeeded: 300, failed: 3, running: 5 });
  report(run, screen, { isTty: true });
  expect(screen.lines.length).toBeLessThan(12);
  expect(screen.lines.at(0)).toContain("running");
});

test("does not redraw more often than an eye can follow", () => {
  const screen = new TestScreen(80, 24);
  let writes = 0;
  const reporter = createRunReporter({
    stream: Object.assign(screen, { write: () => ++writes > 0 }),
    isTty: true,
    color: false,
    nowMs: () => START_MS,
  });
  const run = hugeRun({ succeeded: 100, failed: 0, running: 0 });
  for (const line of run.lines) reporter.onLine(line, run.view);
  expect(writes).toBe(1);
});

test("takes the width it is given before that of the stream", () => {
  const screen = new TestScreen(80, 24);
  const run = runningRun();
  createRunReporter({ stream: screen, isTty: true, color: false, columns: 40, nowMs: () => START_MS }).end(run.view);
  for (const line of screen.lines) expect(line.length).toBeLessThan(40);
});

test("writes a line for each change of state where there is no terminal", () => {
  const screen = new TestScreen(200, 1_000);
  report(failedRun(), screen, { isTty: false });
  expect(screen.text).toMatchInlineSnapshot(`
    "12:00:00Z  run queued: plan tz 1.0, 4 phases
    12:00:00Z  run started
    12:00:00Z  split started: 1 shard, pool default
    12:00:00Z  split[0] attempt 1 started on worker w1
    12:00:01Z  split[0] attempt 1 succeeded in 1.0 s, 2.0 KiB
    12:00:01Z  split succeeded in 1.0 s
    12:00:01Z  compile started: 11 shards by scene, at most 3 at once
    12:00:01Z  compile[0] attempt 1 started on worker w1
    12:00:02Z  compile[0] attempt 1 succeeded in 1.0 s, 2.0 KiB
    12:00:02Z  compile[1] attempt 1 started on worker w1
    12:00:03Z  compile[1] attempt 1 succeeded in 1.0 s, 2.0 KiB
    12:00:03Z  compile[2] attempt 1 started on worker w1
    12:00:04Z  compile[2] attempt 1 succeeded in 1.0 s, 2.0 KiB
    12:00:04Z  compile[3] attempt 1 started on worker w1
    12:00:05Z  compile[3] attempt 1 succeeded in 1.0 s, 2.0 KiB
    12:00:05Z  compile[4] attempt 1 started on worker w1
    12:00:05Z  compile[5] attempt 1 started on worker w2
    12:00:05Z  compile[5] attempt 1 was lost with worker w2
    12:00:05Z  compile[5] attempt 2 started on worker w1
    12:00:05Z  compile[6] attempt 1 started on worker w1
    12:00:05Z  compile[6] attempt 1 failed: zic: line 12: no such rule; next attempt in 2.0 s
    12:00:07Z  compile[6] attempt 2 started on worker w1
    12:00:08Z  compile[6] failed for good after 2 attempts: zic: line 12: no such rule
    12:00:08Z  plan aborted by compile: zic: line 12: no such rule
    12:00:08Z  links cancelled: the failure of compile aborted the plan
    12:00:08Z  verify cancelled: the failure of compile aborted the plan
    12:00:08Z  compile[4] attempt 1 succeeded in 2.6 s
    12:00:08Z  compile[5] attempt 2 succeeded in 2.2 s
    12:00:08Z  compile failed: 1 of 11 shards failed
    12:00:08Z  run failed after 8.2 s: compile failed"
  `);
});

test("tells of stored artifacts only when they are outputs of the run", () => {
  const screen = new TestScreen(200, 1_000);
  report(succeededRun(), screen, { isTty: false });
  expect(screen.lines.filter((line) => line.includes("stored"))).toEqual([
    "12:00:04Z  verify stored verify-out, 39.0 KiB, sha256 0123456789ab",
  ]);
});

test("does not tell of phases that were left out of the run", () => {
  const screen = new TestScreen(200, 1_000);
  const run = new TestRun()
    .add(0, "phase_skipped", { phase: "split" }, { cause: "not_selected", cause_phase: null })
    .add(0, "phase_skipped", { phase: "links" }, { cause: "condition_false", cause_phase: null });
  report(run, screen, { isTty: false });
  expect(screen.text).toBe("12:00:00Z  links skipped: its condition does not hold");
});

test("does not tell of each shard of a large phase, except of those in trouble", () => {
  const screen = new TestScreen(200, 1_000);
  const run = new TestRun().add(0, "phase_started", { phase: "compile" }, { shard_count: 21 });
  for (let shard = 0; shard < 21; shard += 1) run.work("compile", shard);
  run.add(0, "shard_timeout", { phase: "compile", shard: 3, attempt: 1 }, { timeout_sec: 5 });
  run.add(0, "shard_retry", { phase: "compile", shard: 3, attempt: 1 }, { why: "timed out", delay_ms: 0 });
  run.add(0, "phase_progress", { phase: "compile" }, { percent: 50 });
  report(run, screen, { isTty: false });
  expect(screen.text).toMatchInlineSnapshot(`
    "12:00:00Z  compile started: 21 shards
    12:00:21Z  compile[3] attempt 1 failed: timed out; next attempt in 0 ms"
  `);
});
