import { expect, test } from "vitest";
import { displayWidth } from "../../src/view/plain-text.ts";
import { renderReportText } from "../../src/view/report-text.ts";
import { localiseRun, reportOf } from "./report-fixture.ts";
import { HOSTILE, hugeRun, runningRun, succeededRun, TestRun } from "./run-fixture.ts";

test("tells what a run took, where the time went and what it cost", async () => {
  expect(renderReportText(await reportOf(localiseRun()), { columns: 120 })).toMatchInlineSnapshot(`
    "run run_0192f1c8-77aa-7000-8000-000000000001  failed
      plan           localise 2.1
      started        2026-03-01 12:00:00 UTC
      wall time      21.5 s
      progress       66 %
      phases         3 succeeded, 1 failed, 1 blocked, 3 skipped
      shards         7 of 10 succeeded
      tolerated      1 failed shard
      attempts       11 (2 retries, 0 lost)
      serial time    19.5 s, a speed-up of 0.91x
      waste          15 % of the serial time
      tokens         18,500 (15,500 in, 3,000 out)
      cost           at least $0.824
      critical path  21.5 s: ingest > context > translate[language=french]

    PHASE                         STATUS     SHARDS    WALL  CRITICAL  ATTEMPTS  SERIAL  TOKENS            COST
    ingest                        succeeded     1/1   1.0 s       5 %         1   1.0 s
    context                       succeeded     2/2   8.0 s      37 %         2   8.0 s   9,000          $0.024
    translate[language=french]    succeeded     3/4  12.5 s      58 %         5   6.5 s   6,500  at least $0.50
    translate[language=japanese]  failed        1/3  12.5 s                   3   4.0 s   3,000           $0.30
    qa                            skipped
    export                        blocked
    announce                      skipped
    … and 1 phase that took no part

    SLOWEST                            TIME  ATTEMPT  OUTCOME
    context[0]                        4.0 s        1  succeeded
    context[1]                        4.0 s        1  succeeded
    translate[language=japanese][0]   2.5 s        1  succeeded
    translate[language=french][0]     2.0 s        1  succeeded
    translate[language=french][1]     2.0 s        1  succeeded
    ingest[0]                         1.0 s        1  succeeded
    translate[language=french][2]     1.0 s        1  succeeded
    translate[language=japanese][1]  750 ms        1  retried
    translate[language=japanese][1]  750 ms        2  failed
    translate[language=french][3]    750 ms        1  retried

    failed  translate[language=japanese][1], attempt 2, exit code 3
      why            no glossary entry for "ramen"
      next           add the entry

    blocked  export
      why            no accepted output of archive

    tolerated  translate[language=french][3], attempt 2, exit code 3
      why            no glossary entry for "ramen"
      next           add the entry

    next:
      fanfold logs run_0192f1c8-77aa-7000-8000-000000000001 --phase 'translate[language=japanese]' --shard 1
      fanfold retry run_0192f1c8-77aa-7000-8000-000000000001"
  `);
});

test("leaves out what there is nothing to say about", async () => {
  expect(renderReportText(await reportOf(succeededRun()))).toMatchInlineSnapshot(`
    "run run_1  succeeded
      plan           tz 1.0
      started        2026-03-01 12:00:00 UTC
      wall time      4.0 s
      phases         4 succeeded
      shards         8 of 8 succeeded
      attempts       8 (0 retries, 0 lost)
      serial time    6.0 s, a speed-up of 1.50x
      waste          0 % of the serial time
      critical path  4.0 s: split > compile > links > verify

    PHASE    STATUS     SHARDS   WALL  CRITICAL  ATTEMPTS  SERIAL
    split    succeeded     2/2  1.0 s      25 %         2   1.5 s
    compile  succeeded     2/2  1.0 s      25 %         2   1.5 s
    links    succeeded     2/2  1.0 s      25 %         2   1.5 s
    verify   succeeded     2/2  1.0 s      25 %         2   1.5 s

    SLOWEST       TIME  ATTEMPT  OUTCOME
    split[0]    750 ms        1  succeeded
    split[1]    750 ms        1  succeeded
    compile[0]  750 ms        1  succeeded
    compile[1]  750 ms        1  succeeded
    links[0]    750 ms        1  succeeded
    links[1]    750 ms        1  succeeded
    verify[0]   750 ms        1  succeeded
    verify[1]   750 ms        1  succeeded"
  `);
});

test("measures a run that goes on up to now", async () => {
  const text = renderReportText(await reportOf(runningRun(), 10_000));
  expect(text).toContain("  wall time      9.9 s\n  progress       34 %, 19.4 s left\n");
  expect(text).toMatch(/^compile +running +4\/11 +8\.9 s/m);
});

test("reports a run that has not started", async () => {
  expect(renderReportText(await reportOf(new TestRun([])))).toMatchInlineSnapshot(`
    "run run_1  queued
      wall time      0 ms
      shards         0 of 0 succeeded
      attempts       0 (0 retries, 0 lost)
      serial time    0 ms"
  `);
});

test("gives up whole columns on a narrow terminal", async () => {
  const text = renderReportText(await reportOf(localiseRun()), { columns: 60 });
  for (const line of text.split("\n").filter((other) => !other.includes("fanfold "))) {
    expect(displayWidth(line)).toBeLessThanOrEqual(60);
  }
  expect(text).toContain("PHASE                         STATUS     SHARDS    WALL\n");
});

test("shows the longest of very many phases and counts the others", async () => {
  const lines = renderReportText(await reportOf(hugeRun({ succeeded: 400, failed: 30, running: 9 }))).split("\n");
  expect(lines.filter((line) => line.startsWith("phase-"))).toHaveLength(200);
  expect(lines).toContain("… and 800 shorter phases");
  expect(lines.filter((line) => line.startsWith("failed  phase-"))).toHaveLength(20);
  expect(lines).toContain("… and 10 more failures");
});

test("prints hostile text without what makes it hostile", async () => {
  expect(renderReportText(await reportOf(hostileRun()))).toMatch(/^[\n -~]*$/);
});

test("colours only when asked to", async () => {
  const report = await reportOf(localiseRun());
  expect(renderReportText(report)).not.toContain("\u001b");
  expect(renderReportText(report, { color: true })).toContain("\u001b[31mfailed");
});

function hostileRun(): TestRun {
  const place = { phase: HOSTILE, shard: 0, attempt: 1 };
  return new TestRun([{ id: HOSTILE, depends_on: [HOSTILE] }], HOSTILE)
    .add(0, "run_queued", {}, { plan_id: HOSTILE, plan_version: HOSTILE })
    .add(0, "shard_started", place)
    .add(5, "shard_failed", place, {
      why: HOSTILE,
      next_action: HOSTILE,
      signal: HOSTILE,
      error_code: HOSTILE,
      duration_ms: 5,
    })
    .add(0, "run_failed", {}, { cause: HOSTILE });
}
