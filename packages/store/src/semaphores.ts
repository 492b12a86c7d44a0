import { type Keys, parseShardId, type ShardRef, shardId } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script } from "./scripts.ts";

const MEND_SEMAPHORE = new Script("mend_semaphore");
const LIMIT_SEMAPHORE = new Script("limit_semaphore");

/** A concurrency key as it stands. */
export interface Semaphore {
  readonly name: string;
  /** Slots there are: the limit set for the deployment, else the one a plan named last. */
  readonly limit: number;
  /** Whether the limit was set for the deployment. */
  readonly isSet: boolean;
  readonly inUse: number;
  /** Runs that want a slot, first come first served. */
  readonly waiters: readonly string[];
}

/** A shard that holds a slot of a concurrency key. */
export interface SlotHolder extends ShardRef {
  readonly key: string;
  readonly runId: string;
}

/**
 * Concurrency keys: named semaphores over all runs. Slots are taken and given back by the ledger's scripts,
 * together with those of the run and the phase; a run that finds none free waits in line.
 */
export class Semaphores {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Every key that is in use, waited for, or limited. */
  async list(): Promise<Semaphore[]> {
    const fields = await this.#redis.hgetall(this.#keys.semaphores);
    const all = Object.entries(fields).map(([name, text]) => parseSemaphore(name, text));
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A key as it stands, or undefined when it is of no use to anybody. */
  async find(name: string): Promise<Semaphore | undefined> {
    const text = await this.#redis.hget(this.#keys.semaphores, name);
    return text === null ? undefined : parseSemaphore(name, text);
  }

  /** Who holds the slots of all keys, in no order. */
  async listHolders(): Promise<SlotHolder[]> {
    return (await this.#redis.hkeys(this.#keys.holders)).map(parseHolder);
  }

  /** Sets the limit of a key for the deployment, whatever plans say; undefined goes back to what they say. */
  async setLimit(name: string, limit: number | undefined): Promise<void> {
    await LIMIT_SEMAPHORE.run(this.#redis, [this.#keys.semaphores], [name, limit ?? ""]);
  }

  /** Takes a run out of the line of a key. */
  async forgetWaiter(name: string, runId: string): Promise<void> {
    await this.#mend(name, runId, "");
  }

  /** Gives back the slot of a shard, unless it is in flight. @returns whether there was one */
  async dropHolder(holder: SlotHolder): Promise<boolean> {
    return this.#mend(holder.key, holder.runId, shardId(holder));
  }

  async #mend(name: string, runId: string, id: string): Promise<boolean> {
    const keys = [this.#keys.semaphores, this.#keys.holders, this.#keys.run(runId).shards];
    return (await MEND_SEMAPHORE.run(this.#redis, keys, [name, runId, id])) === 1;
  }
}

function parseSemaphore(name: string, text: string): Semaphore {
  const { in_use, declared, limit, waiters } = JSON.parse(text);
  return {
    name,
    limit: Number(limit ?? declared),
    isSet: limit !== undefined,
    inUse: Number(in_use),
    // Lua writes an empty list as an empty object
    waiters: Array.isArray(waiters) ? waiters.map(String) : [],
  };
}

function parseHolder(field: string): SlotHolder {
  const match = /^(\S+) ([^/]+)\/(.+)$/.exec(field);
  if (match === null) throw new Error(`not the holder of a slot: ${field}`);
  const [, key = "", runId = "", id = ""] = match;
  return { key, runId, ...parseShardId(id) };
}
