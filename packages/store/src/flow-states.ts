import type { ChainableCommander } from "ioredis";
import { AGGREGATE_QUEUE, GATES_QUEUE, jobIds, type Keys, SCHEDULER_QUEUE, type ShardRef, shardQueue } from "./keys.ts";
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

  /** Where the jobs of these shards stand, in one round trip. */
  async findShards(runId: string, pool: string, shards: readonly ShardRef[]): Promise<ShardJobState[]> {
    const pipeline = this.#redis.pipeline();
    for (const shard of shards) {
      const key = this.#job(shardQueue(pool), jobIds.shard(runId, shard));
      pipeline.hmget(key, "timestamp", "finishedOn");
      pipeline.exists(`${key}:lock`);
    }
    const values = valuesOf(await pipeline.exec());
    return shards.map((_shard, i) => shardJobState(values[2 * i], values[2 * i + 1]));
  }

  /** Shards whose jobs the phase's flow waits for although they will not end well by themselves: gone, or failed. */
  async listDeadChildren(phase: FlowPhase): Promise<{ shard: number; state: "missing" | "ended" }[]> {
    const { runId, revision, definition } = phase;
    const parent = this.#job(AGGREGATE_QUEUE, jobIds.aggregate(runId, phase.phase, revision));
    const children = await this.#redis.smembers(`${parent}:dependencies`);
    const start = this.#job(shardQueue(definition.pool), `${runId}.${phase.phase}.r${revision}.`);
    const shards = children.filter((key) => key.startsWith(start)).map((key) => Number(key.slice(start.length)));
    const refs = shards.map((shard) => ({ phase: phase.phase, revision, shard }));
    const states = await this.findShards(runId, definition.pool, refs);
    return shards.flatMap((shard, i) => {
      const state = states[i];
      return state === "missing" || state === "ended" ? [{ shard, state }] : [];
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
