import type { Keys } from "./keys.ts";
import { duplicateConnection, type RedisClient } from "./redis/redis-client.ts";

/** Stands before a worker's name; no run id has a space. */
const DRAIN = "drain ";

/** What a worker is told. */
export interface SignalListener {
  /** A run, or something of it, was stopped. */
  onStop(runId: string): void;
  /** A worker is asked to stop. */
  onDrain(worker: string): void;
}

/**
 * Tells every worker at once that a run, or something of it, was stopped, or that a worker is asked to stop. Only a
 * hint: a worker that misses it finds the same in Redis, where it looks again and again.
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

  async publishDrain(worker: string): Promise<void> {
    await this.#redis.publish(this.#keys.signals, `${DRAIN}${worker}`);
  }

  /** Calls back for each signal. @returns how to end it */
  async listen(listener: SignalListener): Promise<() => void> {
    const redis = duplicateConnection(this.#redis);
    redis.on("message", (_channel: string, message: string) => {
      if (message.startsWith(DRAIN)) listener.onDrain(message.slice(DRAIN.length));
      else listener.onStop(message);
    });
    await redis.subscribe(this.#keys.signals);
    return () => redis.disconnect();
  }
}
