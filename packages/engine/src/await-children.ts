import type { CompiledPlan, ShardRecord, SpawnedChild } from "@fanfold/schemas";
import { jobIds, type ShardRef } from "@fanfold/store";
import type { EngineWorkings } from "./engine-workings.ts";

/** How often a shard that waits for phases it spawned has itself looked at, in ms; their end wakes it at once. */
export const SPAWN_RECHECK_MS = 60_000;

/** The children that a shard waits for; none when it does not wait. */
export function awaitedChildren(record: ShardRecord | undefined): readonly SpawnedChild[] {
  if (record?.awaits_children !== true) return [];
  return (record.spawned ?? []).filter(({ attempt }) => attempt === record.attempt);
}

/** Whether shards of a run of this plan may spawn phases. */
export function maySpawnPhases({ phases }: CompiledPlan): boolean {
  return phases.some(({ spawn }) => spawn?.spawnable === true);
}

/** Has a scheduler look at a shard that waits for phases it spawned. */
export async function askForSpawner(workings: EngineWorkings, runId: string, ref: ShardRef): Promise<void> {
  const { phase, revision, shard } = ref;
  const id = jobIds.spawn(runId, ref, workings.clock.nowMs());
  await workings.store.queues.addSchedulerJob(id, { kind: "spawn", run_id: runId, phase, revision, shard });
}
