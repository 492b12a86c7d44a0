import { type Keys, type PhaseRef, phaseRevisionId } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script } from "./scripts.ts";

const ACQUIRE_LOCK = new Script("acquire_lock");
const RELEASE_LOCK = new Script("release_lock");

/** A phase of a run, as a lock knows it. */
export interface LockHolder extends PhaseRef {
  readonly runId: string;
}

/**
 * Named mutexes held by phases, across runs. A phase holds its lock from before its first shard until it is
 * over, whatever happens to the processes that work for it.
 */
export class Locks {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Takes a lock, or queues for it. @returns who holds it now */
  async acquire(name: string, asker: LockHolder, nowMs: number): Promise<LockHolder> {
    const holder = await ACQUIRE_LOCK.run(this.#redis, this.#lockKeys(name), [name, holderId(asker), nowMs]);
    return parseHolder(String(holder));
  }

  /** Gives a lock back, or leaves its queue. @returns who holds it now instead, if somebody waited */
  async release(name: string, holder: LockHolder, nowMs: number): Promise<LockHolder | undefined> {
    const next = await RELEASE_LOCK.run(this.#redis, this.#lockKeys(name), [name, holderId(holder), nowMs]);
    return next === "" ? undefined : parseHolder(String(next));
  }

  /** Who holds a lock. */
  async findHolder(name: string): Promise<LockHolder | undefined> {
    const holder = await this.#redis.hget(this.#keys.lock(name).lock, "holder");
    return holder === null ? undefined : parseHolder(holder);
  }

  /** Names of the locks that are held. */
  listHeld(): Promise<string[]> {
    return this.#redis.smembers(this.#keys.locks);
  }

  #lockKeys(name: string): string[] {
    const { lock, waiters } = this.#keys.lock(name);
    return [lock, waiters, this.#keys.locks];
  }
}

/** Whether two askers are the same phase in the making of the same revision. */
export function isSameHolder(a: LockHolder, b: LockHolder): boolean {
  return holderId(a) === holderId(b);
}

function holderId({ runId, phase, revision }: LockHolder): string {
  return `${runId}/${phaseRevisionId(phase, revision)}`;
}

function parseHolder(id: string): LockHolder {
  const match = /^([^/]+)\/(.+)\.r(\d+)$/.exec(id);
  if (match === null) throw new Error(`not the holder of a lock: ${id}`);
  const [, runId = "", phase = "", revision = ""] = match;
  return { runId, phase, revision: Number(revision) };
}
