import type { PhaseLedger, PhaseProgress } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { phaseProgress } from "../../src/run/phase-progress.ts";

const NOTHING: PhaseLedger = {
  revision: 1,
  total: 3,
  next: 0,
  in_flight: 0,
  held: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  unacked: 0,
  max_parallel: 0,
  window: 10,
  excused: 0,
  tolerated: 0,
  max_consecutive: 0,
  consecutive: 0,
  tripped: 0,
};

type Row = readonly [what: string, counts: Partial<PhaseLedger>, goesOn: PhaseProgress, stopped: PhaseProgress];

const ROWS: readonly Row[] = [
  ["has no shards", { total: 0 }, "complete", "complete"],
  ["has succeeded in all its shards", { next: 3, succeeded: 3 }, "complete", "complete"],
  ["has released nothing yet", {}, "busy", "drained"],
  ["has a shard on a queue or running", { next: 3, in_flight: 1, succeeded: 2 }, "busy", "busy"],
  ["has a shard in flight beside a failed one", { next: 2, in_flight: 1, failed: 1 }, "busy", "busy"],
  ["has shards left to release", { next: 2, succeeded: 2 }, "busy", "drained"],
  ["has shards left to release after a failure", { next: 2, succeeded: 1, failed: 1 }, "busy", "drained"],
  ["has a shard in backoff", { next: 3, held: 1, succeeded: 2 }, "busy", "drained"],
  ["has failed in its last open shard", { next: 3, succeeded: 2, failed: 1 }, "drained", "drained"],
  ["has failed in all its shards", { next: 3, failed: 3 }, "drained", "drained"],
  ["has cancelled shards and nothing else open", { next: 3, succeeded: 2, cancelled: 1 }, "drained", "drained"],
  [
    "has failed in as many shards as it may",
    { tolerated: 1, next: 3, succeeded: 2, failed: 1 },
    "tolerable",
    "tolerable",
  ],
  ["has failed in all its shards and may", { tolerated: 3, next: 3, failed: 3 }, "tolerable", "tolerable"],
  ["has failed in more shards than it may", { tolerated: 1, next: 3, succeeded: 1, failed: 2 }, "drained", "drained"],
  ["may fail in some shards but has not", { tolerated: 1, next: 3, succeeded: 3 }, "complete", "complete"],
  [
    "has a tolerated failure and a shard in flight",
    { tolerated: 1, next: 3, in_flight: 1, succeeded: 1, failed: 1 },
    "busy",
    "busy",
  ],
  [
    "has a tolerated failure and a shard in backoff",
    { tolerated: 1, next: 3, held: 1, succeeded: 1, failed: 1 },
    "busy",
    "drained",
  ],
  [
    "has a tolerated failure and shards to release",
    { tolerated: 1, next: 2, succeeded: 1, failed: 1 },
    "busy",
    "drained",
  ],
  [
    "has a tolerated failure and a cancelled shard",
    { tolerated: 1, next: 3, succeeded: 1, failed: 1, cancelled: 1 },
    "drained",
    "drained",
  ],
  ["has tripped with shards left to release", { tripped: 1, next: 1, failed: 1 }, "drained", "drained"],
  ["has tripped with a shard in flight", { tripped: 1, next: 2, in_flight: 1, failed: 1 }, "busy", "busy"],
  ["has tripped with a shard in backoff", { tripped: 1, next: 2, held: 1, failed: 1 }, "busy", "drained"],
  ["has tripped within what it tolerates", { tripped: 1, tolerated: 3, next: 2, failed: 2 }, "drained", "drained"],
];

describe("a phase that", () => {
  test.each(ROWS)("%s", (_what, counts, goesOn, stopped) => {
    const ledger = { ...NOTHING, ...counts };
    expect([phaseProgress(ledger, false), phaseProgress(ledger, true)]).toEqual([goesOn, stopped]);
  });
});
