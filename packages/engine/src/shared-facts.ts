import type { KeyFacts, PoolFacts } from "@fanfold/core";
import type { Store } from "@fanfold/store";
import { holderOf } from "./list-holders.ts";

/** Every concurrency key that is in use, waited for or limited, with its holders. */
export async function loadKeys(store: Store): Promise<Map<string, KeyFacts & { readonly is_set: boolean }>> {
  const [keys, slots] = await Promise.all([store.semaphores.list(), store.semaphores.listHolders()]);
  const holders = await Promise.all(
    slots.map(async (slot) => ({
      key: slot.key,
      ...holderOf(slot.runId, slot, await store.ledger.findShard(slot.runId, slot)),
    })),
  );
  return new Map(
    keys.map(({ name, limit, isSet, inUse, waiters }) => {
      const own = holders.filter(({ key }) => key === name).map(({ key: _key, ...holder }) => holder);
      return [name, { limit, is_set: isSet, in_use: inUse, waiters, holders: own }];
    }),
  );
}

/** How pools stand: the named ones, and every other one with a worker. */
export async function loadPools(store: Store, names: Iterable<string>): Promise<Map<string, PoolFacts>> {
  const workers = await store.pools.listWorkers();
  const all = new Set([...names, ...(workers?.keys() ?? [])]);
  const pools = [...all].sort().map(async (name): Promise<[string, PoolFacts]> => {
    const { concurrency, rate, active, heldBackMs } = await store.pools.find(name);
    return [
      name,
      {
        workers: workers === undefined ? null : (workers.get(name) ?? []),
        concurrency,
        rate: rate === null ? null : { max: rate.max, duration_ms: rate.durationMs },
        active,
        held_back_ms: heldBackMs,
      },
    ];
  });
  return new Map(await Promise.all(pools));
}
