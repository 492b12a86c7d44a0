import type { ChainableCommander } from "ioredis";
import {
  AGGREGATE_QUEUE,
  type BlockRef,
  blockName,
  GATES_QUEUE,
  jobIds,
  type Keys,
  parseBlockName,
  type PhaseRef,
  SCHEDULER_QUEUE,
  type ShardRef,
  shardJobsOf,
  shardQueue,
} from "./keys.ts";
import type { FlowPhase } from "./queues.ts";
import type { RedisClient } from "./redis/redis-client.ts";

/** Where a job stands. `waits`: for its children. `queued`: waiting, delayed or active. */
export type JobState = "missing" | "waits" | "queued" | "failed" | "done";

/** What is there of a phase's flow. A direct phase has none. */
export interface FlowState {
  readonly settle: JobState;
  readonly aggregate: JobState;
  readonly hasGate: boolean;
}

/** Where the job of a shard stands. `held`: the job is gone, and a worker still holds its lock. */
export type ShardJobState = "there" | "missing" | "held" | "ended";

/** A shard, and the block that carries it, or did before it got a job of its own. */
export interface CarriedShard extends ShardRef {
  readonly block?: string | undefined;
  readonly ownJob?: boolean | undefined;
}

/** A child of a flow: a shard, or a block of more than one. */
export interface DeadChild {
  readonly shard: number;
  readonly size: number;
  readonly state: "missing" | "ended";
}

const NO_BLOCK = { shard: 0, size: 0 };

/** Commands of one job's state, in a pipeline. */
const COMMANDS_A_JOB = 4;

/** Looks at the jobs of phases as they are in the queues, without changing anything. */
export class FlowStates {
  readonly #redis: RedisClient;
  readonly #prefix: string;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#prefix = keys.prefix;
  }

  /** What is there of a phase's flow, shards apart. */
  async findFlow(phase: FlowPhase): Promise<FlowState> {
    const { runId, revision } = phase;
    const pipeline = this.#redis.pipeline();
    this.#ask(pipeline, SCHEDULER_QUEUE, jobIds.settle(runId, phase.phase, revision));
    this.#ask(pipeline, AGGREGATE_QUEUE, jobIds.aggregate(runId, phase.phase, revision));
    pipeline.exists(this.#job(GATES_QUEUE, jobIds.gate(runId, phase.phase, revision)));
    const values = valuesOf(await pipeline.exec());
    return {
      settle: jobState(values.slice(0, COMMANDS_A_JOB)),
      aggregate: jobState(values.slice(COMMANDS_A_JOB, 2 * COMMANDS_A_JOB)),
      hasGate: values[2 * COMMANDS_A_JOB] === 1,
    };
  }

  /** Where the jobs stand that carry these shards, in one round trip: their own, or that of their block. */
  async findShards(runId: string, pool: string, shards: readonly CarriedShard[]): Promise<ShardJobState[]> {
    const blocks = new Map(
      shards.flatMap((shard) =>
        shard.block === undefined ? [] : [[shard.block, jobIds.block(runId, blockOf(shard, shard.block))] as const],
      ),
    );
    // blocks first: one that has ended has given jobs to its shards before
    const ids = [...blocks.values(), ...shards.map((shard) => jobIds.shard(runId, shard))];
    const states = await this.#findJobs(pool, ids);
    const stateOfBlock = new Map([...blocks.keys()].map((block, i) => [block, states[i] ?? "missing"] as const));
    return shards.map((shard, i) => carrierState(shard, states[blocks.size + i] ?? "missing", stateOfBlock));
  }

  async #findJobs(pool: string, ids: readonly string[]): Promise<ShardJobState[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) {
      const key = this.#job(shardQueue(pool), id);
      pipeline.hmget(key, "timestamp", "finishedOn");
      pipeline.exists(`${key}:lock`);
    }
    const values = valuesOf(await pipeline.exec());
    return ids.map((_id, i) => shardJobState(values[2 * i], values[2 * i + 1]));
  }

  /** Shards and blocks whose jobs a phase's flow waits for although they will not end well by themselves: gone, or failed. */
  async listDeadChildren(phase: FlowPhase): Promise<DeadChild[]> {
    const { runId, revision, definition } = phase;
    const parent = this.#job(AGGREGATE_QUEUE, jobIds.aggregate(runId, phase.phase, revision));
    const children = await this.#redis.smembers(`${parent}:dependencies`);
    const ref = { phase: phase.phase, revision };
    const queue = this.#job(shardQueue(definition.pool), "");
    const ofShard = `${queue}${shardJobsOf(runId, ref)}`;
    const ofBlock = `${queue}${jobIds.block(runId, { ...ref, shard: 0, size: 0 }).slice(0, -blockName(NO_BLOCK).length)}`;
    const jobs = children.flatMap((key): Omit<DeadChild, "state">[] => {
      if (key.startsWith(ofShard)) return [{ shard: Number(key.slice(ofShard.length)), size: 1 }];
      return key.startsWith(ofBlock) ? [parseBlockName(key.slice(ofBlock.length))] : [];
    });
    const ids = jobs.map((job) =>
      job.size === 1 ? jobIds.shard(runId, { ...ref, ...job }) : jobIds.block(runId, { ...ref, ...job }),
    );
    const states = await this.#findJobs(definition.pool, ids);
    return jobs.flatMap((job, i) => {
      const state = states[i];
      return state === "missing" || state === "ended" ? [{ ...job, state }] : [];
    });
  }

  #ask(pipeline: ChainableCommander, queue: string, id: string): void {
    pipeline.hget(this.#job(queue, id), "timestamp");
    for (const set of ["waiting-children", "failed", "completed"])
      pipeline.zscore(`${this.#prefix}:${queue}:${set}`, id);
  }

  #job(queue: string, id: string): string {
    return `${this.#prefix}:${queue}:${id}`;
  }
}

/** The block that a shard of a phase was in. */
export function blockOf({ phase, revision }: PhaseRef, name: string): BlockRef {
  return { phase, revision, ...parseBlockName(name) };
}

/** State of what carries a shard. A shard that has left its block is given its own job by that, before the block ends. */
function carrierState(
  { block, ownJob }: CarriedShard,
  own: ShardJobState,
  blocks: ReadonlyMap<string, ShardJobState>,
): ShardJobState {
  if (block === undefined) return own;
  const carrier = blocks.get(block) ?? "missing";
  if (ownJob === true) return own === "missing" && (carrier === "there" || carrier === "held") ? carrier : own;
  // a block that has ended carries nothing any more
  return carrier === "ended" ? "missing" : carrier;
}

function valuesOf(reply: [Error | null, unknown][] | null): unknown[] {
  return (reply ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}

function jobState([timestamp, waits, failed, completed]: readonly unknown[]): JobState {
  if (timestamp === null) return "missing";
  if (waits !== null) return "waits";
  if (failed !== null) return "failed";
  return completed === null ? "queued" : "done";
}

function shardJobState(fields: unknown, hasLock: unknown): ShardJobState {
  const [timestamp, finishedOn] = Array.isArray(fields) ? fields : [];
  if (timestamp === null) return hasLock === 1 ? "held" : "missing";
  return finishedOn === null ? "there" : "ended";
}
