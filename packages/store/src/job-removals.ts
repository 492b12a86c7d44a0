import type { Job, Queue } from "bullmq";
import { AGGREGATE_QUEUE, GATES_QUEUE, jobIds, type PhaseRef, SCHEDULER_QUEUE, shardQueue } from "./keys.ts";
import { blockOf, type CarriedShard } from "./flow-states.ts";
import type { Queues } from "./queues.ts";
import type { RedisClient } from "./redis/redis-client.ts";

/** What hangs on a job besides its own hash; all of it may be large. */
const COMPANIONS = ["logs", "dependencies", "processed", "failed", "unsuccessful"];
/** States whose ids are in sorted sets, and in lists, in the order in which a job goes through them. */
const SORTED_STATES = ["prioritized", "delayed", "waiting-children", "completed", "failed"];
const LISTED_STATES = ["wait", "paused", "active"];
/** Ids looked at in one round trip. */
const PAGE = 500;
/** Jobs removed side by side. */
const AT_ONCE = 50;

/** A job of a run that a worker holds. */
export interface HeldJob {
  readonly queue: string;
  readonly id: string;
}

/** What {@link JobRemovals} did: jobs and the keys they consisted of, and those it could not remove. */
export interface RemovedJobs {
  readonly jobs: number;
  readonly keys: number;
  readonly held: readonly HeldJob[];
}

const NOTHING: RemovedJobs = { jobs: 0, keys: 0, held: [] };

/** Adds up what was removed. */
export function addRemoved(a: RemovedJobs, b: RemovedJobs): RemovedJobs {
  return { jobs: a.jobs + b.jobs, keys: a.keys + b.keys, held: [...a.held, ...b.held] };
}

/**
 * Takes the jobs of a run off the queues, in whatever state they are. Parents go before their children, so that no
 * removal lets a parent run. A job that a worker holds stays, and is told.
 */
export class JobRemovals {
  readonly #redis: RedisClient;
  readonly #queues: Queues;

  constructor(redis: RedisClient, queues: Queues) {
    this.#redis = redis;
    this.#queues = queues;
  }

  /** Removes every job of a run on the scheduler's queue, the settle jobs included. */
  async removeSchedulerJobs(runId: string): Promise<RemovedJobs> {
    const queue = this.#queues.queue(SCHEDULER_QUEUE);
    const ids = new Set<string>();
    for (const state of LISTED_STATES) for await (const id of this.#scanList(queue.toKey(state))) ids.add(id);
    for (const state of SORTED_STATES) {
      for await (const id of this.#scanSorted(queue.toKey(state), `*.${runId}*`)) ids.add(id);
    }
    const own = [...ids].filter((id) => id.endsWith(`.${runId}`) || id.includes(`.${runId}.`));
    let removed = NOTHING;
    for (let i = 0; i < own.length; i += PAGE) {
      removed = addRemoved(removed, await this.#remove(queue, runId, own.slice(i, i + PAGE)));
    }
    return removed;
  }

  /** Removes the aggregate and the gate of a phase. */
  async removePhaseJobs(runId: string, { phase, revision }: PhaseRef): Promise<RemovedJobs> {
    const aggregates = this.#queues.queue(AGGREGATE_QUEUE);
    const gates = this.#queues.queue(GATES_QUEUE);
    return addRemoved(
      await this.#remove(aggregates, runId, [jobIds.aggregate(runId, phase, revision)]),
      await this.#remove(gates, runId, [jobIds.gate(runId, phase, revision)]),
    );
  }

  /** Removes the job that settles a phase. */
  removeSettleJob(runId: string, { phase, revision }: PhaseRef): Promise<RemovedJobs> {
    return this.#remove(this.#queues.queue(SCHEDULER_QUEUE), runId, [jobIds.settle(runId, phase, revision)]);
  }

  /** Removes the jobs of shards of a pool, and those of the blocks they were in. */
  removeShardJobs(runId: string, pool: string, shards: readonly CarriedShard[]): Promise<RemovedJobs> {
    const ids = shards.map((shard) => jobIds.shard(runId, shard));
    const blocks = shards.flatMap((shard) =>
      shard.block === undefined ? [] : [jobIds.block(runId, blockOf(shard, shard.block))],
    );
    return this.#remove(this.#queues.queue(shardQueue(pool)), runId, [...new Set([...blocks, ...ids])]);
  }

  /** How often the aggregate of a phase was started; 0 when it is not there. */
  async countFolds(runId: string, { phase, revision }: PhaseRef): Promise<number> {
    const job: Job | undefined = await this.#queues
      .queue(AGGREGATE_QUEUE)
      .getJob(jobIds.aggregate(runId, phase, revision));
    return job?.attemptsStarted ?? 0;
  }

  async #remove(queue: Queue, runId: string, ids: readonly string[]): Promise<RemovedJobs> {
    const own = await this.#ownedBy(queue, runId, ids);
    let removed = NOTHING;
    for (let i = 0; i < own.length; i += AT_ONCE) {
      const batch = own.slice(i, i + AT_ONCE).map((id) => this.#removeOne(queue, id));
      for (const one of await Promise.all(batch)) removed = addRemoved(removed, one);
    }
    return removed;
  }

  async #removeOne(queue: Queue, id: string): Promise<RemovedJobs> {
    const held = { ...NOTHING, held: [{ queue: queue.name, id }] };
    if ((await this.#redis.exists(queue.toKey(`${id}:lock`))) === 1) return held;
    // a hash of many results would hold Redis up if the queue's own script freed it
    const companions = await this.#redis.unlink(...companionsOf(queue, id));
    const code = await queue.remove(id, { removeChildren: false });
    return code === 0 ? held : { jobs: 1, keys: 1 + companions, held: [] };
  }

  /** Those of the jobs that are there and are the run's: an id alone can be read as that of another run, too. */
  async #ownedBy(queue: Queue, runId: string, ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const reads = this.#redis.pipeline();
    for (const id of ids) reads.hget(queue.toKey(id), "data");
    const replies = (await reads.exec()) ?? [];
    return ids.filter((_, i) => {
      const data = replies[i]?.[1];
      return typeof data === "string" && runOf(data) === runId;
    });
  }

  async *#scanList(key: string): AsyncGenerator<string> {
    for (let from = 0; ; from += PAGE) {
      const ids = await this.#redis.lrange(key, from, from + PAGE - 1);
      yield* ids;
      if (ids.length < PAGE) return;
    }
  }

  async *#scanSorted(key: string, pattern: string): AsyncGenerator<string> {
    let cursor = "0";
    do {
      const [next, flat] = await this.#redis.zscan(key, cursor, "MATCH", pattern, "COUNT", PAGE);
      cursor = next;
      for (let i = 0; i < flat.length; i += 2) yield flat[i] ?? "";
    } while (cursor !== "0");
  }
}

function companionsOf(queue: Queue, id: string): string[] {
  return COMPANIONS.map((name) => queue.toKey(`${id}:${name}`));
}

/** Run that a job's data names. */
function runOf(data: string): string | undefined {
  const value: unknown = JSON.parse(data);
  if (typeof value !== "object" || value === null || !("run_id" in value)) return undefined;
  return typeof value.run_id === "string" ? value.run_id : undefined;
}
