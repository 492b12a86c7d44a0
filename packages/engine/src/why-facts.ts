import type { ShardFacts, WhyFacts } from "@fanfold/core";
import type { PhaseLedger } from "@fanfold/schemas";
import type { Clock } from "./clock.ts";
import { listHolders } from "./list-holders.ts";
import type { RunEngine } from "./run-engine.ts";
import { loadKeys, loadPools } from "./shared-facts.ts";

/** Shards looked at in one round trip. */
const PAGE = 500;

/** Gathers what decides why something of a run is not running. @throws {StoreError} RUN_NOT_FOUND */
export async function gatherWhyFacts(engine: RunEngine, runId: string, clock: Clock): Promise<WhyFacts> {
  const { store } = engine;
  await engine.recall(runId);
  const planned = await engine.plan(runId);
  const [run, phases, counts, keys, pools] = await Promise.all([
    store.runs.get(runId),
    store.runs.loadPhases(runId),
    store.ledger.loadPhases(runId),
    loadKeys(store),
    loadPools(store, new Set(planned.plan.phases.map(({ pool }) => pool))),
  ]);
  const shards = new Map<string, ShardFacts[]>();
  for (const [phase, entry] of counts) shards.set(phase, await listIdle(engine, runId, phase, entry));
  const locks = await loadLocks(engine, planned.plan.phases);
  const holders = await listHolders(store, runId, counts);
  return { now_ms: clock.nowMs(), planned, run, phases, counts, holders, keys, locks, pools, shards };
}

/** Shards of a phase that were released, and neither run nor have succeeded. */
async function listIdle(engine: RunEngine, runId: string, phase: string, entry: PhaseLedger): Promise<ShardFacts[]> {
  const idle: ShardFacts[] = [];
  const ref = { phase, revision: entry.revision };
  if (entry.succeeded - (entry.ahead ?? 0) >= entry.next) return idle;
  for (let from = 0; from < entry.next; from += PAGE) {
    const records = await engine.store.ledger.listShards(runId, ref, from, Math.min(entry.next, from + PAGE));
    for (const [i, record] of records.entries()) {
      if (record === undefined || record.status === "running" || record.status === "succeeded") continue;
      const failure = record.failure ?? record.history?.at(-1)?.failure;
      idle.push({ shard: from + i, status: record.status, until_ms: record.until_ms, failure });
    }
  }
  return idle;
}

async function loadLocks(
  { store }: RunEngine,
  phases: readonly { readonly lock: { readonly name: string } | null }[],
): Promise<Map<string, string>> {
  const locks = new Map<string, string>();
  for (const name of new Set(phases.flatMap(({ lock }) => (lock === null ? [] : [lock.name])))) {
    const holder = await store.locks.findHolder(name);
    if (holder !== undefined) locks.set(name, `${holder.phase} of ${holder.runId}`);
  }
  return locks;
}
