import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SlowestAttempts } from "../../src/view/slowest-attempts.ts";
import { journalOf, shardEvent, type TestEvent } from "./journal-fixture.ts";

function slowestOf(events: readonly TestEvent[], limit: number) {
  const slowest = new SlowestAttempts(limit);
  for (const line of journalOf(events)) slowest.take(line);
  return slowest.attempts;
}

test("keeps what took longest, however it ended", () => {
  const slowest = slowestOf(
    [
      shardEvent("shard_started", 0),
      shardEvent("shard_succeeded", 0, 1, { duration_ms: 1_000 }),
      shardEvent("shard_retry", 1, 1, { duration_ms: 3_000, error_code: "TIMEOUT" }),
      shardEvent("shard_lost", 2, 1, { duration_ms: 2_000 }),
      shardEvent("shard_succeeded", 3),
      { event: "phase_succeeded", phase: "p", data: { duration_ms: 9_000 } },
    ],
    2,
  );
  expect(slowest).toEqual([
    { phase: "p", shard: 1, attempt: 1, outcome: "retried", duration_sec: 3, error_code: "TIMEOUT" },
    { phase: "p", shard: 2, attempt: 1, outcome: "lost", duration_sec: 2, error_code: null },
  ]);
});

test("keeps the same as sorting all of them would", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 40 }), fc.nat({ max: 8 }), (durations, limit) => {
      const events = durations.map((ms, shard) => shardEvent("shard_succeeded", shard, 1, { duration_ms: ms * 1_000 }));
      const sorted = durations.map((duration, shard) => ({ duration, shard })).sort((a, b) => b.duration - a.duration);
      expect(slowestOf(events, limit).map(({ shard }) => shard)).toEqual(
        sorted.slice(0, limit).map(({ shard }) => shard),
      );
    }),
  );
});
