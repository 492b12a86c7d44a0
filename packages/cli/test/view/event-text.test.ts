import { expect, test } from "vitest";
import { renderEvent } from "../../src/view/event-text.ts";
import { failedRun, HOSTILE, TestRun } from "./run-fixture.ts";

test("prints time, number, event, place and message below each other", () => {
  expect(
    failedRun()
      .lines.map((line) => renderEvent(line))
      .join("\n"),
  ).toMatchInlineSnapshot(`
    "2026-03-01T12:00:00.000Z      1  run_queued          run             queued: plan tz 1.0, 4 phases
    2026-03-01T12:00:00.010Z      2  run_started         run             started
    2026-03-01T12:00:00.020Z      3  phase_started       split           started: 1 shard, pool default
    2026-03-01T12:00:00.020Z      4  shard_started       split[0]        attempt 1 started on worker w1
    2026-03-01T12:00:01.020Z      5  shard_succeeded     split[0]        attempt 1 succeeded in 1.0 s, 2.0 KiB
    2026-03-01T12:00:01.020Z      6  artifact_persisted  split           stored zones, 4.0 KiB, sha256 cdcdcdcdcdcd
    2026-03-01T12:00:01.020Z      7  phase_succeeded     split           succeeded in 1.0 s
    2026-03-01T12:00:01.020Z      8  phase_started       compile         started: 11 shards by scene, at most 3 at once
    2026-03-01T12:00:01.020Z      9  shard_started       compile[0]      attempt 1 started on worker w1
    2026-03-01T12:00:02.020Z     10  shard_succeeded     compile[0]      attempt 1 succeeded in 1.0 s, 2.0 KiB
    2026-03-01T12:00:02.020Z     11  shard_started       compile[1]      attempt 1 started on worker w1
    2026-03-01T12:00:03.020Z     12  shard_succeeded     compile[1]      attempt 1 succeeded in 1.0 s, 2.0 KiB
    2026-03-01T12:00:03.020Z     13  shard_started       compile[2]      attempt 1 started on worker w1
    2026-03-01T12:00:04.020Z     14  shard_succeeded     compile[2]      attempt 1 succeeded in 1.0 s, 2.0 KiB
    2026-03-01T12:00:04.020Z     15  shard_started       compile[3]      attempt 1 started on worker w1
    2026-03-01T12:00:05.020Z     16  shard_succeeded     compile[3]      attempt 1 succeeded in 1.0 s, 2.0 KiB
    2026-03-01T12:00:05.020Z     17  shard_started       compile[4]      attempt 1 started on worker w1
    2026-03-01T12:00:05.020Z     18  shard_started       compile[5]      attempt 1 started on worker w2
    2026-03-01T12:00:05.520Z     19  shard_lost          compile[5]      attempt 1 was lost with worker w2
    2026-03-01T12:00:05.520Z     20  shard_started       compile[5]      attempt 2 started on worker w1
    2026-03-01T12:00:05.520Z     21  shard_started       compile[6]      attempt 1 started on worker w1
    2026-03-01T12:00:05.770Z     22  shard_retry         compile[6]      attempt 1 failed: zic: line 12: no such rule; next attempt in 2.0 s
    2026-03-01T12:00:07.770Z     23  shard_started       compile[6]      attempt 2 started on worker w1
    2026-03-01T12:00:08.020Z     24  shard_failed        compile[6]      failed for good after 2 attempts: zic: line 12: no such rule
    2026-03-01T12:00:08.020Z     25  plan_aborted        compile         plan aborted by compile: zic: line 12: no such rule
    2026-03-01T12:00:08.020Z     26  phase_cancelled     links           cancelled: the failure of compile aborted the plan
    2026-03-01T12:00:08.020Z     27  phase_cancelled     verify          cancelled: the failure of compile aborted the plan
    2026-03-01T12:00:08.120Z     28  shard_succeeded     compile[4]      attempt 1 succeeded in 2.6 s
    2026-03-01T12:00:08.220Z     29  shard_succeeded     compile[5]      attempt 2 succeeded in 2.2 s
    2026-03-01T12:00:08.220Z     30  phase_failed        compile         failed: 1 of 11 shards failed
    2026-03-01T12:00:08.220Z     31  run_failed          run             failed after 8.2 s: compile failed"
  `);
});

test("cuts to the width and strips what is hostile", () => {
  const [line] = new TestRun().add(0, "shard_failed", { phase: HOSTILE, shard: 0 }, { why: HOSTILE }).lines;
  if (line === undefined) throw new Error("the run has no line");
  expect(renderEvent({ ...line, message: HOSTILE })).toMatch(/^[ -~]*$/);
  expect(renderEvent(line, { columns: 40 })).toBe("2026-03-01T12:00:00.000Z      1  shard_…");
});
