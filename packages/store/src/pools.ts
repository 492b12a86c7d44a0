import { type Keys, poolOf, shardQueue } from "./keys.ts";
import type { Queues } from "./queues.ts";
import type { RedisClient } from "./redis/redis-client.ts";

/** At most so many starts in so long a time. */
export interface PoolRate {
  readonly max: number;
  readonly durationMs: number;
}

/** What a pool as a whole may do, and does. */
export interface PoolState {
  readonly concurrency: number | null;
  readonly rate: PoolRate | null;
  /** Shards that workers are at. */
  readonly active: number;
  /** Shards on the queue, those in backoff left out. */
  readonly queued: number;
  /** How long the rate limit still holds the pool back, ms. */
  readonly heldBackMs: number;
}

/** The pools of a deployment: their workers, and the limits of their queues. */
export class Pools {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #queues: Queues;

  constructor(redis: RedisClient, keys: Keys, queues: Queues) {
    this.#redis = redis;
    this.#keys = keys;
    this.#queues = queues;
  }

  /**
   * Names of the workers that serve each pool now, by their connections.
   *
   * @returns undefined when the server does not tell who is connected
   */
  async listWorkers(): Promise<Map<string, string[]> | undefined> {
    const list = await this.#redis.client("LIST").catch(() => undefined);
    if (typeof list !== "string") return undefined;
    const pools = new Map<string, string[]>();
    for (const [, name = ""] of list.matchAll(/ name=(\S+)/g)) {
      const worker = this.#parseClient(name);
      if (worker !== undefined) pools.set(worker.pool, [...(pools.get(worker.pool) ?? []), worker.name].sort());
    }
    return pools;
  }

  /** How a pool stands. */
  async find(pool: string): Promise<PoolState> {
    const queue = this.#queues.queue(shardQueue(pool));
    const [concurrency, rate, counts] = await Promise.all([
      queue.getGlobalConcurrency(),
      queue.getGlobalRateLimit(),
      queue.getJobCounts("active", "waiting", "prioritized"),
    ]);
    const heldBackMs = rate === null ? 0 : await queue.getRateLimitTtl(rate.max);
    return {
      concurrency,
      rate: rate === null ? null : { max: rate.max, durationMs: rate.duration },
      active: counts.active ?? 0,
      queued: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
      heldBackMs: Math.max(0, heldBackMs),
    };
  }

  /** Whether the pool of a queue has a limit that was set by hand. */
  async isLimited(queueName: string): Promise<boolean> {
    return (await this.#redis.sismember(this.#keys.limitedPools, poolOf(queueName))) === 1;
  }

  /** Ids of the jobs that workers of a pool are at. */
  async listActive(pool: string): Promise<unknown[]> {
    return (await this.#queues.queue(shardQueue(pool)).getActive()).map((job) => job?.data);
  }

  /** Limits a pool. What is left out stays as it is. */
  async limit(pool: string, { concurrency, rate }: { concurrency?: number; rate?: PoolRate }): Promise<void> {
    const queue = this.#queues.queue(shardQueue(pool));
    if (concurrency !== undefined) await queue.setGlobalConcurrency(concurrency);
    if (rate !== undefined) await queue.setGlobalRateLimit(rate.max, rate.durationMs);
    await this.#redis.sadd(this.#keys.limitedPools, pool);
    await this.#wake(pool);
  }

  /** Takes both limits of a pool away. */
  async clear(pool: string): Promise<void> {
    const queue = this.#queues.queue(shardQueue(pool));
    await queue.removeGlobalConcurrency();
    await queue.removeGlobalRateLimit();
    await queue.removeRateLimitKey();
    await this.#redis.srem(this.#keys.limitedPools, pool);
    await this.#wake(pool);
  }

  /** Names of the pools with a limit. */
  async listLimited(): Promise<string[]> {
    return (await this.#redis.smembers(this.#keys.limitedPools)).sort();
  }

  /** Workers that found the pool full look again at once. A paused queue stays paused. */
  async #wake(pool: string): Promise<void> {
    const queue = this.#queues.queue(shardQueue(pool));
    if (!(await queue.isPaused())) await queue.resume();
  }

  /** BullMQ names a worker's connection `<prefix>:<queue, base64>:w:<worker>`. */
  #parseClient(client: string): { pool: string; name: string } | undefined {
    const opening = `${this.#keys.prefix}:`;
    if (!client.startsWith(opening)) return undefined;
    const [queue = "", name] = client.slice(opening.length).split(":w:");
    const decoded = Buffer.from(queue, "base64").toString("utf8");
    if (name === undefined || !decoded.startsWith(shardQueue(""))) return undefined;
    return { pool: poolOf(decoded), name };
  }
}
