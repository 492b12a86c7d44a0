import { AGGREGATE_QUEUE, GATES_QUEUE, listServers, SCHEDULER_QUEUE, type Store, shardQueue } from "@fanfold/store";

/** Keys that Redis looks at in one step of a scan, so that no step keeps others waiting. */
const SCAN_COUNT = 1_000;

/** A queue, and what people should know about it. */
export interface ListedQueue {
  readonly name: string;
  readonly description: string;
}

const FIXED_QUEUES: readonly ListedQueue[] = [
  { name: AGGREGATE_QUEUE, description: "Folds the shard outputs of a phase, in shard order" },
  { name: SCHEDULER_QUEUE, description: "Settles phases, starts what became ready, sweeps" },
  { name: GATES_QUEUE, description: "Holds an aggregate until its last shard is released; no worker serves it" },
];

/**
 * Lists the queues of a deployment: the fixed ones, then one for each pool that has had a worker or work.
 *
 * Walks over all keys of each server in small steps; ends early, with what it has, when `signal` is aborted.
 */
export async function listQueues(store: Store, { signal }: { signal: AbortSignal }): Promise<ListedQueue[]> {
  const opening = `${store.keys.prefix}:`;
  const closing = ":meta";
  const pattern = `${escapeGlob(opening)}${shardQueue("*")}${closing}`;
  const names = new Set<string>();
  for (const server of listServers(store.redis)) {
    let cursor = "0";
    do {
      const [next, keys] = await server.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
      for (const key of keys) names.add(key.slice(opening.length, -closing.length));
      cursor = next;
    } while (cursor !== "0" && !signal.aborted);
  }
  return [...FIXED_QUEUES, ...[...names].sort().map(describePool)];
}

function describePool(name: string): ListedQueue {
  return { name, description: `Shards of the pool ${name.slice(shardQueue("").length)}` };
}

/** Takes the meaning away from what Redis reads as wildcards. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}
