import { expect, test } from "vitest";
import { renderSummary } from "../../src/view/run-summary-text.ts";
import { failedRun, HOSTILE, hugeRun, succeededRun, TestRun } from "./run-fixture.ts";

test("sums up a run that succeeded, with its outputs", () => {
  const outputs = [{ phase: "verify", name: "verify-out", file: "out/run_1/verify-out.jsonl" }];
  expect(renderSummary(succeededRun().view, { outputs }, { columns: 80 })).toMatchInlineSnapshot(`
    "run run_1  succeeded
      plan       tz 1.0
      phases     4 succeeded
      shards     8 of 8 succeeded
      attempts   8 (0 retries, 0 lost)
      wall time  4.0 s
      speed-up   1.50x, 6.0 s one after another
      outputs    verify-out  0123456789ab  39.0 KiB  out/run_1/verify-out.jsonl"
  `);
});

test("says of a run that failed what, why, and what to type next", () => {
  const logs = [
    { phase: "compile", shard: 4, lines: ["of another shard"] },
    {
      phase: "compile",
      shard: 6,
      lines: ["reading 40 records", "10%\r100%", "\u001b[31mzic: line 12: no such rule\u001b[0m"],
    },
  ];
  expect(renderSummary(failedRun().view, { logs }, { columns: 80 })).toMatchInlineSnapshot(`
    "run run_1  failed
      plan       tz 1.0
      phases     1 succeeded, 1 failed, 2 cancelled
      shards     7 of 12 succeeded
      attempts   10 (1 retry, 1 lost)
      wall time  8.2 s
      speed-up   1.32x, 10.8 s one after another

    failed  compile[6], attempt 2, exit code 1
      why        zic: line 12: no such rule
      next       read the shard's log, repair the records, then retry
      | reading 40 records
      | 100%
      | zic: line 12: no such rule

    next:
      fanfold logs run_1 --phase compile --shard 6
      fanfold retry run_1"
  `);
});

test("goes on below a label on a narrow terminal, but never breaks a command", () => {
  const text = renderSummary(failedRun().view, {}, { columns: 40 });
  expect(text).toMatchInlineSnapshot(`
    "run run_1  failed
      plan       tz 1.0
      phases     1 succeeded, 1 failed, 2
                 cancelled
      shards     7 of 12 succeeded
      attempts   10 (1 retry, 1 lost)
      wall time  8.2 s
      speed-up   1.32x, 10.8 s one after
                 another

    failed  compile[6], attempt 2, exit cod…
      why        zic: line 12: no such rule
      next       read the shard's log,
                 repair the records, then
                 retry

    next:
      fanfold logs run_1 --phase compile --shard 6
      fanfold retry run_1"
  `);
});

test("prints the last twenty log lines", () => {
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
  const text = renderSummary(failedRun().view, { logs: [{ phase: "compile", shard: 6, lines }] });
  expect(text.split("\n").filter((line) => line.startsWith("  | "))).toHaveLength(20);
  expect(text).toContain("  | line 499\n");
});

test("tells the first failures and counts the others", () => {
  const run = hugeRun({ succeeded: 0, failed: 30, running: 0 }).add(0, "run_failed");
  expect(renderSummary(run.view, {}, { columns: 80 })).toMatchInlineSnapshot(`
    "run run_1  failed
      phases     970 pending, 30 failed
      shards     0 of 60 succeeded
      attempts   0 (0 retries, 0 lost)
      wall time  60 ms

    failed  phase-0
      why        no 0

    failed  phase-1
      why        no 1

    failed  phase-2
      why        no 2

    … and 27 more failures: fanfold status run_1

    next:
      fanfold logs run_1 --phase phase-0
      fanfold logs run_1 --phase phase-1
      fanfold logs run_1 --phase phase-2
      fanfold retry run_1"
  `);
});

test("names failures that the plan tolerates", () => {
  const run = new TestRun()
    .add(0, "phase_failed", { phase: "links" }, { why: "no", tolerated: true })
    .add(0, "run_succeeded", {}, { tolerated_failures: 1 });
  expect(renderSummary(run.view)).toMatchInlineSnapshot(`
    "run run_1  succeeded
      phases     3 pending, 1 failed
      tolerated  failure of links
      shards     0 of 0 succeeded
      attempts   0 (0 retries, 0 lost)
      wall time  0 ms"
  `);
});

test.each(["condition_failed", "missing_dependency"])("suggests no retry where it changes nothing: %s", (code) => {
  const run = new TestRun()
    .add(0, "phase_failed", { phase: "links" }, { error_code: code, why: "no" })
    .add(0, "run_failed");
  expect(renderSummary(run.view)).not.toContain("fanfold retry");
});

test("suggests no retry for a run that was cancelled", () => {
  expect(renderSummary(new TestRun().add(0, "run_cancelled").view)).toMatchInlineSnapshot(`
    "run run_1  cancelled
      phases     4 pending
      shards     0 of 0 succeeded
      attempts   0 (0 retries, 0 lost)
      wall time  0 ms"
  `);
});

test("prints hostile text without what makes it hostile", () => {
  const run = new TestRun([{ id: HOSTILE, depends_on: [] }], HOSTILE)
    .add(0, "run_queued", {}, { plan_id: HOSTILE, plan_version: HOSTILE })
    .add(0, "artifact_persisted", { phase: HOSTILE }, { name: HOSTILE, sha256: HOSTILE, size_bytes: 1 })
    .add(
      0,
      "shard_failed",
      { phase: HOSTILE, shard: 0, attempt: 1 },
      { why: HOSTILE, next_action: HOSTILE, signal: HOSTILE },
    )
    .add(0, "run_failed");
  const logs = [{ phase: HOSTILE, shard: 0, lines: [HOSTILE] }];
  expect(renderSummary(run.view, { logs, outputs: [{ phase: HOSTILE, name: HOSTILE, file: HOSTILE }] })).toMatch(
    /^[\n -~]*$/,
  );
});

test("colours only when asked to", () => {
  expect(renderSummary(failedRun().view)).not.toContain("\u001b");
  expect(renderSummary(failedRun().view, {}, { color: true })).toContain("\u001b[31mfailed");
});

test("tells what a run used and cost, and what of it is unknown", () => {
  const run = new TestRun([{ id: "write", depends_on: [] }]).add(
    0,
    "phase_started",
    { phase: "write" },
    { shard_count: 2 },
  );
  const usage = { prompt_tokens: 12_000, completion_tokens: 345, total_tokens: 12_345, cost_usd: 1.5 };
  run.add(0, "shard_started", { phase: "write", shard: 0, attempt: 1 });
  run.add(0, "shard_succeeded", { phase: "write", shard: 0, attempt: 1 }, { usage });
  const lines = (): string[] =>
    renderSummary(run.view)
      .split("\n")
      .filter((line) => /tokens|cost/.test(line));
  expect(lines()).toEqual(["  tokens     12,345 (12,000 in, 345 out)", "  cost       $1.50"]);
  run.add(0, "shard_started", { phase: "write", shard: 1, attempt: 1 });
  run.add(0, "shard_failed", { phase: "write", shard: 1, attempt: 1 }, { usage: { total_tokens: 5, cost_usd: null } });
  expect(lines().at(-1)).toBe("  cost       at least $1.50");
});

test("says why a run failed as a whole, and what outputs go without", () => {
  const run = new TestRun()
    .add(0, "phase_succeeded", { phase: "split" }, { tolerated_shards: 2 })
    .add(0, "run_failed", {}, { cause: "run_timeout" });
  expect(renderSummary(run.view)).toMatchInlineSnapshot(`
    "run run_1  failed
      why        the time limit of the run was reached
      phases     3 pending, 1 succeeded
      shards     0 of 0 succeeded, 2 failed ones tolerated
      attempts   0 (0 retries, 0 lost)
      wall time  0 ms

    next:
      fanfold retry run_1"
  `);
});

test("suggests commands a shell takes as they stand, and none for what was only blocked", () => {
  const id = "translate[language=fr]";
  const failed = new TestRun([{ id, depends_on: [] }])
    .add(0, "shard_failed", { phase: id, shard: 2, attempt: 1 }, { why: "no" })
    .add(0, "run_failed");
  expect(renderSummary(failed.view)).toContain("fanfold logs run_1 --phase 'translate[language=fr]' --shard 2\n");
  const blocked = new TestRun()
    .add(0, "phase_blocked", { phase: "links" }, { missing: ["split"] })
    .add(0, "run_failed");
  expect(renderSummary(blocked.view)).toMatchInlineSnapshot(`
    "run run_1  failed
      phases     3 pending, 1 blocked
      shards     0 of 0 succeeded
      attempts   0 (0 retries, 0 lost)
      wall time  0 ms

    blocked  links
      why        no accepted output of split"
  `);
});
