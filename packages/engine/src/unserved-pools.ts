import { isApproval, noWorker } from "@fanfold/core";
import type { CompiledPlan } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";

/**
 * Warnings about pools of a plan that no worker serves now; one may still come. None when the server does not say
 * who is connected.
 */
export async function warnOfUnservedPools(store: Store, plan: CompiledPlan): Promise<string[]> {
  const workers = await store.pools.listWorkers();
  if (workers === undefined) return [];
  const executed = plan.phases.filter((phase) => phase.takes_part && !isApproval(phase));
  const used = new Set(executed.map(({ pool }) => pool));
  const pools = new Map([...workers].map(([pool, names]) => [pool, { workers: names }]));
  return [...used].filter((pool) => !workers.has(pool)).map((pool) => noWorker(pools, pool));
}
