import type { Keys } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import type { Signals } from "./signals.ts";

/** How long a request waits for a worker that cannot reach Redis, in seconds. */
const KEPT_SEC = 3_600;

/**
 * Requests to workers to stop: finish what they have, take nothing new, and leave. The key is what counts; the signal
 * only makes it quick. A request is for the workers of that name that were there when it was made.
 */
export class Drains {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #signals: Signals;

  constructor(redis: RedisClient, keys: Keys, signals: Signals) {
    this.#redis = redis;
    this.#keys = keys;
    this.#signals = signals;
  }

  /** Asks the workers of a name to stop. Asking again changes nothing for those that are stopping. */
  async request(worker: string): Promise<void> {
    await this.#redis.set(this.#keys.drain(worker), await this.nowMs(), "EX", KEPT_SEC);
    await this.#signals.publishDrain(worker);
  }

  /** When workers of these names were asked to stop, in ms of Redis' clock; undefined for those that were not. */
  async find(workers: readonly string[]): Promise<(number | undefined)[]> {
    if (workers.length === 0) return [];
    const times = await this.#redis.mget(workers.map((worker) => this.#keys.drain(worker)));
    return times.map((time) => (time === null ? undefined : Number(time)));
  }

  /** The time by Redis' clock, Unix ms: that of several machines may differ. */
  async nowMs(): Promise<number> {
    const [seconds = 0, micros = 0] = await this.#redis.time();
    return seconds * 1_000 + Math.floor(micros / 1_000);
  }
}
