import { jobIds, type PhaseRef, shardQueue } from "@fanfold/store";
import { askForSpawner, awaitedChildren, maySpawnPhases } from "./await-children.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { retryFailed } from "./retry-failed.ts";
import type { RunEngine } from "./run-engine.ts";

/**
 * Retries what shards of a phase wait for, or failed with: children that did not succeed.
 *
 * @returns what is tried again
 */
export async function retryChildren(
  engine: RunEngine,
  runId: string,
  { phase, revision, shards, actor }: PhaseRef & { readonly shards: readonly number[]; readonly actor: string },
): Promise<string[]> {
  const records = await engine.store.ledger.findShards(runId, { phase, revision }, shards);
  const children = records.flatMap((record) => awaitedChildren(record).map(({ child }) => child));
  if (children.length === 0) return [];
  const phases = await engine.store.runs.loadPhases(runId);
  const retried: string[] = [];
  for (const child of children) {
    const status = phases.get(child)?.status;
    if (status !== "failed" && status !== "cancelled") continue;
    try {
      retried.push(...(await retryFailed(engine, runId, { phase: child }, actor)));
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "NOTHING_TO_RETRY") throw error;
    }
  }
  return retried;
}

/** A phase that was spawned is tried again: the shard that spawned it waits for it again, and so on upwards. */
export async function waitAgain(workings: EngineWorkings, runId: string, child: string, actor: string): Promise<void> {
  const { graph } = await workings.states.plan(runId);
  const { spawned } = graph.phase(child);
  if (spawned === undefined) return;
  const { phase, revision, shard, attempt } = spawned;
  const record = await workings.store.ledger.findShard(runId, { phase, revision, shard });
  if (record?.awaits_children !== true || record.attempt !== attempt) return;
  await workings.engine.reopen(runId, phase, actor);
  if (record.status !== "failed" && record.status !== "cancelled") return;
  await workings.engine.requeue(runId, { phase, revision }, [shard]);
  await workings.engine.reopen(runId, phase, actor);
}

/** Shards that were requeued and wait for phases they spawned, not for a slot: their jobs wait with them. */
export async function awaitRequeued(
  workings: EngineWorkings,
  runId: string,
  ref: PhaseRef,
  shards: readonly number[],
): Promise<void> {
  const { store, states } = workings;
  const { plan, graph } = await states.plan(runId);
  if (!maySpawnPhases(plan)) return;
  const records = await store.ledger.findShards(runId, ref, shards);
  for (const [i, shard] of shards.entries()) {
    if (records[i]?.status !== "spawned") continue;
    const one = { ...ref, shard };
    await store.queues.runAgain(shardQueue(graph.phase(ref.phase).pool), jobIds.shard(runId, one));
    await askForSpawner(workings, runId, one);
  }
}
