import { followStream } from "./follow-stream.ts";
import type { Keys, ShardRef } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";

/** Most entries kept of a running attempt; the whole output goes to the artifact store at its end. */
const MAX_ENTRIES = 256;
/** How long the live output stays after its last line, in seconds. */
const KEEP_SEC = 24 * 3600;

/** A piece of live output, and where it is. */
export interface LogPiece {
  readonly id: string;
  readonly text: string;
}

/** The live output of running attempts: one bounded Redis stream each. */
export class AttemptLogs {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Appends a piece of output; the oldest pieces give way. */
  async append(runId: string, ref: ShardRef, attempt: number, text: string): Promise<void> {
    const key = this.#keys.attemptLog(runId, ref, attempt);
    await this.#redis.pipeline().xadd(key, "MAXLEN", "~", MAX_ENTRIES, "*", "t", text).expire(key, KEEP_SEC).exec();
  }

  /** What is kept of the output now. */
  async read(runId: string, ref: ShardRef, attempt: number): Promise<string> {
    const entries = await this.#redis.xrange(this.#keys.attemptLog(runId, ref, attempt), "-", "+");
    return entries.map(([, fields]) => fields[1] ?? "").join("");
  }

  /**
   * What is kept of the output, and then every new piece until the signal aborts; then what was written in
   * between, so that nothing written before the abort is missing.
   */
  async *follow(
    runId: string,
    ref: ShardRef,
    attempt: number,
    options: { signal: AbortSignal },
  ): AsyncGenerator<string> {
    for await (const { text } of this.followPieces(runId, ref, attempt, options)) yield text;
  }

  /** The same, with the place of each piece; starts after the piece `after`. */
  async *followPieces(
    runId: string,
    ref: ShardRef,
    attempt: number,
    { signal, after = "0-0" }: { signal: AbortSignal; after?: string },
  ): AsyncGenerator<LogPiece> {
    const key = this.#keys.attemptLog(runId, ref, attempt);
    let last = after;
    for await (const [id, fields] of followStream(this.#redis, key, last, { signal })) {
      last = id;
      yield { id, text: fields[1] ?? "" };
    }
    const rest = await this.#redis.xrange(key, `(${last}`, "+");
    for (const [id, fields] of rest) yield { id, text: fields[1] ?? "" };
  }
}
