import type { SlotHolderFacts } from "@fanfold/core";
import type { PhaseLedger, ShardRecord } from "@fanfold/schemas";
import type { PhaseRef, ShardRef, Store } from "@fanfold/store";

/** Shards looked at in one round trip. */
const PAGE = 250;

/** Shards of a run that hold a slot, in declaration order of what the counts name, the lowest index first. */
export async function listHolders(
  store: Store,
  runId: string,
  counts: ReadonlyMap<string, PhaseLedger>,
): Promise<SlotHolderFacts[]> {
  const holders: SlotHolderFacts[] = [];
  for (const [phase, entry] of counts) {
    if (entry.in_flight > 0) holders.push(...(await listInPhase(store, runId, phase, entry)));
  }
  return holders;
}

/** Looks from the latest shard back: what was released last is mostly what is in flight. */
async function listInPhase(
  store: Store,
  runId: string,
  phase: string,
  { revision, next, in_flight: wanted }: PhaseLedger,
): Promise<SlotHolderFacts[]> {
  const ref: PhaseRef = { phase, revision };
  const found: SlotHolderFacts[] = [];
  for (let to = next; to > 0 && found.length < wanted; to -= PAGE) {
    const from = Math.max(0, to - PAGE);
    const records = await store.ledger.listShards(runId, ref, from, to);
    const inPage = records.flatMap((record, i) => {
      const isInFlight = record?.status === "released" || record?.status === "running";
      return isInFlight ? [holderOf(runId, { ...ref, shard: from + i }, record)] : [];
    });
    found.unshift(...inPage);
  }
  return found;
}

/** A shard in flight, as people want to know it. */
export function holderOf(runId: string, { phase, shard }: ShardRef, record: ShardRecord | undefined): SlotHolderFacts {
  const isRunning = record?.status === "running";
  return {
    run_id: runId,
    phase,
    shard,
    attempt: isRunning ? (record.attempt ?? null) : null,
    worker: isRunning ? (record.worker ?? null) : null,
    since_ms: isRunning ? (record.started_at_ms ?? null) : null,
  };
}
