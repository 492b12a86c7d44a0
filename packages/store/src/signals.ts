import type { Keys } from "./keys.ts";
import { duplicateConnection, type RedisClient } from "./redis/redis-client.ts";

/**
 * Tells every worker at once that a run, or something of it, was stopped. Only a hint: a worker that misses it finds the same in
 * the run's record, which it reads again and again.
 */
export class Signals {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async publishStop(runId: string): Promise<void> {
    await this.#redis.publish(this.#keys.signals, runId);
  }

  /** Calls back with the id of each run that is stopped. @returns how to end it */
  async onStop(callback: (runId: string) => void): Promise<() => void> {
    const redis = duplicateConnection(this.#redis);
    redis.on("message", (_channel: string, runId: string) => callback(runId));
    await redis.subscribe(this.#keys.signals);
    return () => redis.disconnect();
  }
}
