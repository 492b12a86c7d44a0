import { EVENT_NAMES, type EventName, type JournalLine } from "@fanfold/schemas";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NO_SHARDS, waitingShards } from "../../src/view/run-view.ts";
import { summariseRun } from "../../src/view/summarise-run.ts";
import { journalOf, reduceAll, shardEvent, type TestEvent } from "./journal-fixture.ts";

const dataArbitrary: fc.Arbitrary<JournalLine["data"]> = fc.record(
  {
    revision: fc.integer({ min: 1, max: 3 }),
    shard_count: fc.integer({ min: 0, max: 6 }),
    duration_ms: fc.integer({ min: -5, max: 5_000 }),
    why: fc.oneof(fc.string(), fc.constant(null)),
    cause_phase: fc.constantFrom("p", "q"),
    name: fc.constantFrom("a", "b"),
    sha256: fc.constantFrom("aa", "bb"),
    worker: fc.constantFrom("w1", "w2"),
  },
  { requiredKeys: [] },
);

const anyEvent: fc.Arbitrary<TestEvent> = fc.record({
  event: fc.constantFrom(...EVENT_NAMES),
  phase: fc.constantFrom("p", "q", "r", null),
  shard: fc.constantFrom(0, 1, 2, 3, null),
  attempt: fc.constantFrom(1, 2, null),
  data: dataArbitrary,
});

const anyJournal = fc.array(anyEvent, { maxLength: 60 }).map(journalOf);

test("reducing a prefix and then the rest equals reducing all at once", () => {
  fc.assert(
    fc.property(anyJournal, fc.nat(), (lines, cut) => {
      const at = cut % (lines.length + 1);
      expect(reduceAll(lines.slice(at), reduceAll(lines.slice(0, at)))).toEqual(reduceAll(lines));
    }),
  );
});

test("each line seen twice, or the journal read again, equals once", () => {
  fc.assert(
    fc.property(anyJournal, (lines) => {
      const once = reduceAll(lines);
      expect(reduceAll(lines.flatMap((line) => [line, line]))).toEqual(once);
      expect(reduceAll([...lines, ...lines])).toEqual(once);
    }),
  );
});

test("no count is ever negative, and open shards are counted under their status", () => {
  fc.assert(
    fc.property(anyJournal, (lines) => {
      const view = reduceAll(lines);
      for (const { shards, open, ...phase } of view.phases.values()) {
        const numbers = [...Object.values(shards), phase.attempts, phase.retries, phase.lost, phase.serial_ms];
        expect(Math.min(...numbers, waitingShards(shards))).toBeGreaterThanOrEqual(0);
        const statuses = [...open.values()].map((shard) => shard.status);
        for (const status of ["running", "backoff", "failed"] as const) {
          expect(shards[status]).toBe(statuses.filter((other) => other === status).length);
        }
      }
      expect(summariseRun(view).wall_time_sec).toBeGreaterThanOrEqual(0);
    }),
  );
});

type ModelStatus = "waiting" | "running" | "backoff" | "succeeded" | "failed" | "cancelled";

/** What may happen to a shard, and where it leads. */
const MOVES: Readonly<Record<ModelStatus, readonly (readonly [EventName, ModelStatus])[]>> = {
  waiting: [
    ["shard_started", "running"],
    ["shard_cancelled", "cancelled"],
  ],
  running: [
    ["shard_succeeded", "succeeded"],
    ["shard_retry", "backoff"],
    ["shard_failed", "failed"],
    ["shard_lost", "waiting"],
    ["shard_cancelled", "cancelled"],
  ],
  backoff: [
    ["shard_started", "running"],
    ["shard_cancelled", "cancelled"],
  ],
  failed: [["shard_started", "running"]],
  succeeded: [],
  cancelled: [],
};

const SHARD_COUNT = 8;

test("counts legal moves of shards as a model that remembers every shard does", () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: SHARD_COUNT - 1 }), fc.nat()), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (chosen) => {
      const model: ModelStatus[] = Array.from({ length: SHARD_COUNT }, () => "waiting");
      const events: TestEvent[] = [
        { event: "phase_started", phase: "p", data: { revision: 1, shard_count: SHARD_COUNT } },
      ];
      for (const [shard, pick] of chosen) {
        const moves = MOVES[model[shard] ?? "waiting"];
        const move = moves[pick % Math.max(1, moves.length)];
        if (move === undefined) continue;
        events.push(shardEvent(move[0], shard));
        model[shard] = move[1];
      }
      const shards = reduceAll(journalOf(events)).phases.get("p")?.shards ?? NO_SHARDS;
      const counted: Record<ModelStatus, number> = { ...shards, waiting: waitingShards(shards) };
      for (const status of ["waiting", "running", "backoff", "succeeded", "failed", "cancelled"] as const) {
        expect(counted[status]).toBe(model.filter((other) => other === status).length);
      }
    }),
  );
});
