import { expect, test } from "vitest";
import { renderStatus } from "../../src/view/run-status-text.ts";
import { failedRun, hugeRun, runningRun, START_MS, TestRun } from "./run-fixture.ts";

test("shows where a run stands", () => {
  expect(renderStatus(runningRun().view, { columns: 90, nowMs: START_MS + 10_000 })).toMatchInlineSnapshot(`
    "tz 1.0  running  1/4 phases  34 %  9.9 s, 19.4 s left  run_1
      split    succeeded  1/1 shard    1.0 s
      compile  running    4/11 shards  8.9 s  [###.......]  36 %  2 running  1 backoff  1 lost
      links    pending                        waits for compile
      verify   pending                        waits for links
    retried: compile[6], attempt 1, exit code 1: zic: line 12: no such rule
    9 attempts, 1 retried, 1 lost"
  `);
});

test("measures by the last event where it is not told the time", () => {
  expect(renderStatus(runningRun().view).split("\n")[0]).toBe(
    "tz 1.0  running  1/4 phases  34 %  5.7 s, 11.2 s left  run_1",
  );
});

test("says what to type after a failure", () => {
  expect(renderStatus(failedRun().view, { columns: 80 }).split("\n").slice(-3)).toMatchInlineSnapshot(`
    [
      "10 attempts, 1 retried, 1 lost",
      "next: fanfold logs run_1 --phase compile --shard 6",
      "next: fanfold retry run_1",
    ]
  `);
});

test("shows a run that has not started", () => {
  expect(renderStatus(new TestRun([]).view)).toBe("run  queued  run_1");
});

test("names at most a hundred lines of phases", () => {
  const lines = renderStatus(hugeRun({ succeeded: 0, failed: 0, running: 400 }).view).split("\n");
  expect(lines.length).toBeLessThanOrEqual(101);
  expect(lines.at(-1)).toBe("  … and 302 running, 600 pending");
});
