import type { Keys } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";

/** How long what a worker said of itself is good, in seconds. */
const KEPT_SEC = 90;

/** How often a worker says it again, in ms: several times before it would be forgotten. */
export const TELL_FACTS_EVERY_MS = 25_000;

/**
 * What workers say of themselves, for people to look at; nothing is decided by it. Who is there is told by the
 * connections. Of several workers of one name, the one that spoke last is believed.
 */
export class WorkerFacts {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param concurrency shards the worker runs at once, of each of its pools */
  async tell(worker: string, concurrency: number): Promise<void> {
    await this.#redis.set(this.#keys.workerFacts(worker), concurrency, "EX", KEPT_SEC);
  }

  /** What workers of these names run at once, of each of their pools; undefined for those that have not said so. */
  async findConcurrency(workers: readonly string[]): Promise<(number | undefined)[]> {
    if (workers.length === 0) return [];
    const told = await this.#redis.mget(workers.map((worker) => this.#keys.workerFacts(worker)));
    return told.map((text) => (text === null ? undefined : Number(text)));
  }
}
