import type { CapDocument, SlotHolderFacts } from "@fanfold/core";
import { type PhaseLedger, ShardJobSchema } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";
import { holderOf, listHolders } from "./list-holders.ts";
import type { RunEngine } from "./run-engine.ts";
import { loadKeys } from "./shared-facts.ts";

/**
 * Every cap, with who fills it and how much waits: those of one run with the keys and pools it uses, or of all runs
 * that are not over with all keys and pools. The figures of a cap are of one moment, those of several are not.
 *
 * @throws {StoreError} RUN_NOT_FOUND
 */
export async function listCaps(engine: RunEngine, runId?: string): Promise<CapDocument[]> {
  const { store } = engine;
  const runIds = runId === undefined ? (await store.runs.listLive()).sort() : [runId];
  const ofRuns = await Promise.all(runIds.map((id) => capsOfRun(engine, id)));
  const used = runId === undefined ? undefined : (await engine.plan(runId)).plan.phases;
  const keys = await capsOfKeys(store);
  const pools = await capsOfPools(store);
  const isUsed = ({ kind, name }: CapDocument): boolean =>
    used === undefined ||
    used.some(({ pool, concurrency_key: key }) => (kind === "pool" ? pool === name : key?.name === name));
  return [...ofRuns.flat(), ...[...keys, ...pools].filter(isUsed)];
}

async function capsOfRun(engine: RunEngine, runId: string): Promise<CapDocument[]> {
  await engine.recall(runId);
  const [{ plan }, counts] = await Promise.all([engine.plan(runId), engine.store.ledger.loadPhases(runId)]);
  const holders = await listHolders(engine.store, runId, counts);
  const caps: CapDocument[] = [];
  if (plan.max_concurrency !== null) {
    const waiting = [...counts.values()].reduce((sum, entry) => sum + waitingIn(entry), 0);
    caps.push(capOf("run", runId, { limit: plan.max_concurrency, waiting, holders }));
  }
  for (const { id, max_parallel: limit } of plan.phases) {
    const entry = counts.get(id);
    if (limit === null || entry === undefined || entry.succeeded >= entry.total) continue;
    const own = holders.filter(({ phase }) => phase === id);
    caps.push(capOf("phase", `${runId}/${id}`, { limit, waiting: waitingIn(entry), holders: own }));
  }
  return caps;
}

/** Shards without a slot that are not done with: not released, waiting, or in backoff. */
function waitingIn({ total, next, held }: PhaseLedger): number {
  return total - next + held;
}

async function capsOfKeys(store: Store): Promise<CapDocument[]> {
  const keys = await loadKeys(store);
  return [...keys].map(([name, { limit, is_set, in_use, waiters, holders }]) => ({
    ...capOf("key", name, { limit, waiting: waiters.length, holders }),
    is_set,
    in_use,
  }));
}

async function capsOfPools(store: Store): Promise<CapDocument[]> {
  const pools = await store.pools.listLimited();
  return Promise.all(
    pools.map(async (name) => {
      const { concurrency, rate, active, queued } = await store.pools.find(name);
      const holders = await holdersOfPool(store, name);
      return {
        ...capOf("pool", name, { limit: concurrency, waiting: queued, holders }),
        rate: rate === null ? null : { max: rate.max, duration_ms: rate.durationMs },
        is_set: true,
        in_use: active,
      };
    }),
  );
}

async function holdersOfPool(store: Store, pool: string): Promise<SlotHolderFacts[]> {
  const jobs = (await store.pools.listActive(pool)).flatMap((data) => ShardJobSchema.safeParse(data).data ?? []);
  return Promise.all(
    jobs.map(async ({ run_id, phase, revision, shard }) => {
      const ref = { phase, revision, shard };
      return holderOf(run_id, ref, await store.ledger.findShard(run_id, ref));
    }),
  );
}

function capOf(
  kind: CapDocument["kind"],
  name: string,
  facts: Pick<CapDocument, "limit" | "waiting" | "holders">,
): CapDocument {
  return { kind, name, rate: null, is_set: false, in_use: facts.holders.length, ...facts };
}
