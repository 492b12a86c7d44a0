import type { PhaseLedger, PhaseRecord, RunRecord, ShardRecord } from "@fanfold/schemas";
import { type Semaphore, shardId, type SlotHolder, type Store } from "@fanfold/store";

/** What Redis holds of one run. */
export interface RunSnapshot {
  readonly record: RunRecord;
  readonly phases: ReadonlyMap<string, PhaseRecord>;
  readonly counts: ReadonlyMap<string, PhaseLedger>;
  /** Shard id → its record; one that was not released yet is missing. */
  readonly shards: ReadonlyMap<string, ShardRecord>;
  readonly inFlight: number;
  readonly seq: number;
  readonly released: ReadonlySet<string>;
  readonly started: ReadonlySet<string>;
  readonly cancelled: ReadonlySet<string>;
  readonly recalled: ReadonlySet<string>;
  /** Ids of the shards in claims that were not acknowledged. Those that had been on a queue before have a `~`. */
  readonly claimed: readonly string[];
  /** Effects of decisions that were not carried out. */
  readonly outbox: number;
}

/** What Redis holds, read between two steps. */
export interface Snapshot {
  readonly runs: ReadonlyMap<string, RunSnapshot>;
  readonly semaphores: readonly Semaphore[];
  readonly holders: readonly SlotHolder[];
}

/** Reads all there is of these runs. Nothing may go on meanwhile. */
export async function readSnapshot(store: Store, runIds: readonly string[]): Promise<Snapshot> {
  const [semaphores, holders, ...runs] = await Promise.all([
    store.semaphores.list(),
    store.semaphores.listHolders(),
    ...runIds.map(async (runId) => [runId, await readRun(store, runId)] as const),
  ]);
  return { semaphores, holders, runs: new Map(runs) };
}

async function readShards(store: Store, runId: string): Promise<Map<string, ShardRecord>> {
  const records = new Map<string, ShardRecord>();
  for await (const page of store.removals.scanShards(runId)) {
    for (const { record, ...ref } of page) records.set(shardId(ref), record);
  }
  return records;
}

async function readRun(store: Store, runId: string): Promise<RunSnapshot> {
  const { redis } = store;
  const keys = store.keys.run(runId);
  const [record, phases, counts, shards, fields, released, started, cancelled, recalled, claims, outbox] =
    await Promise.all([
      store.runs.get(runId),
      store.runs.loadPhases(runId),
      store.ledger.loadPhases(runId),
      readShards(store, runId),
      redis.hmget(keys.run, "in_flight", "seq"),
      redis.smembers(keys.released),
      redis.smembers(keys.started),
      redis.smembers(keys.cancelled),
      redis.smembers(keys.recalled),
      redis.hvals(keys.claims),
      redis.hlen(keys.outbox),
    ]);
  return {
    record,
    phases,
    counts,
    shards,
    inFlight: Number(fields[0] ?? 0),
    seq: Number(fields[1] ?? 0),
    released: new Set(released),
    started: new Set(started),
    cancelled: new Set(cancelled),
    recalled: new Set(recalled),
    claimed: claims.flatMap((text): string[] => JSON.parse(text).map(String)),
    outbox,
  };
}
