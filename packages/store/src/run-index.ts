import type { RedisClient } from "./redis/redis-client.ts";
import type { Keys } from "./keys.ts";

/** A run's place in the index: newest first, and by id where two were created in the same millisecond. */
export interface RunPosition {
  readonly runId: string;
  /** Unix ms. */
  readonly createdAtMs: number;
}

/** Which runs {@link RunIndex.page} lists. */
export interface RunPage {
  /** Lists what comes after this one; from the newest on when absent. */
  readonly after?: RunPosition | undefined;
  /** Oldest and newest time of creation, Unix ms, both inclusive. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly limit: number;
}

/** What changes with every event of a run and costs little to read. */
export interface RunHead {
  readonly runId: string;
  /** Position of the journal's last line. */
  readonly seq: number;
}

/** Finds runs without reading them: by time, and by what changed. */
export class RunIndex {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Number of runs there are. */
  count(): Promise<number> {
    return this.#redis.zcard(this.#keys.runs);
  }

  /** Positions of runs, newest first; fewer than `limit` only at the end. */
  async page({ after, sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER, limit }: RunPage): Promise<RunPosition[]> {
    const newest = Math.min(untilMs, after?.createdAtMs ?? untilMs);
    const found: RunPosition[] = [];
    for (let offset = 0; found.length < limit; offset += limit) {
      const range = await this.#redis.zrevrangebyscore(
        this.#keys.runs,
        newest,
        sinceMs,
        "WITHSCORES",
        "LIMIT",
        offset,
        limit,
      );
      found.push(...positionsOf(range).filter((position) => after === undefined || isAfter(position, after)));
      if (range.length < 2 * limit) break;
    }
    return found.slice(0, limit);
  }

  /** Heads of runs; one that is gone is left out. */
  async heads(runIds: readonly string[]): Promise<RunHead[]> {
    const pipeline = this.#redis.pipeline();
    for (const runId of runIds) pipeline.hget(this.#keys.run(runId).run, "seq");
    const replies = (await pipeline.exec()) ?? [];
    return replies.flatMap(([error, seq], i) => {
      if (error !== null) throw error;
      const runId = runIds[i];
      return typeof seq === "string" && runId !== undefined ? [{ runId, seq: Number(seq) }] : [];
    });
  }
}

function positionsOf(range: readonly string[]): RunPosition[] {
  const positions: RunPosition[] = [];
  for (let i = 0; i + 1 < range.length; i += 2) {
    positions.push({ runId: range[i] ?? "", createdAtMs: Number(range[i + 1]) });
  }
  return positions;
}

/** Redis orders members of the same score by their bytes; ids are ASCII. */
function isAfter(position: RunPosition, other: RunPosition): boolean {
  if (position.createdAtMs !== other.createdAtMs) return position.createdAtMs < other.createdAtMs;
  return position.runId < other.runId;
}
