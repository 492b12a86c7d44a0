import { describeEvent, eventLevel } from "@fanfold/core";
import { type EventName, EventNameSchema, type JournalLine, JournalLineSchema } from "@fanfold/schemas";
import { parseEventData } from "./event-data.ts";
import { followStream, type StreamEntry } from "./follow-stream.ts";
import type { Keys } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";

/** Lines read in one round trip. */
const PAGE = 500;

/** Reads the journal of runs: a Redis stream each, whose entry ids are the lines' `seq`. */
export class Journal {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Lines after `afterSeq` (0 for all), at most `limit`, in order. */
  async read(runId: string, afterSeq: number, limit: number = PAGE): Promise<JournalLine[]> {
    const entries = await this.#redis.xrange(this.#keys.run(runId).journal, `(${afterSeq}-0`, "+", "COUNT", limit);
    return entries.map((entry) => parseEntry(runId, entry));
  }

  /** All lines after `afterSeq` that are there now, page by page. */
  async *readAll(runId: string, afterSeq = 0): AsyncGenerator<JournalLine> {
    let last = afterSeq;
    for (;;) {
      const lines = await this.read(runId, last);
      yield* lines;
      if (lines.length < PAGE) return;
      last = lines.at(-1)?.seq ?? last;
    }
  }

  /**
   * Lines after `afterSeq`, and then every new one as it comes, until the signal aborts. In order, nothing
   * twice, nothing missed. Uses a connection of its own.
   */
  async *follow(runId: string, afterSeq: number, options: { signal: AbortSignal }): AsyncGenerator<JournalLine> {
    const key = this.#keys.run(runId).journal;
    for await (const entry of followStream(this.#redis, key, `${afterSeq}-0`, options)) yield parseEntry(runId, entry);
  }

  /** Position of the last line there is now; 0 when there is none. */
  async lastSeq(runId: string): Promise<number> {
    const [last] = await this.#redis.xrevrange(this.#keys.run(runId).journal, "+", "-", "COUNT", 1);
    return last === undefined ? 0 : seqOf(last[0]);
  }

  /** Whether no line follows this one now. A run that was retried has ends in the middle of its journal. */
  async isLast({ run_id, seq }: JournalLine): Promise<boolean> {
    return (await this.read(run_id, seq, 1)).length === 0;
  }
}

function seqOf(id: string): number {
  return Number(id.slice(0, id.indexOf("-")));
}

function parseEntry(runId: string, [id, fields]: StreamEntry): JournalLine {
  const field = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) field.set(fields[i] ?? "", fields[i + 1] ?? "");
  const text = (name: string): string | null => field.get(name) || null;
  const event: EventName = EventNameSchema.parse(field.get("e"));
  const phase = text("p");
  const shard = text("s") === null ? null : Number(text("s"));
  const attempt = text("a") === null ? null : Number(text("a"));
  const data = JournalLineSchema.shape.data.parse(parseEventData(event, text("d") ?? "{}"));
  return {
    seq: seqOf(id),
    timestamp: new Date(Number(field.get("t"))).toISOString(),
    level: eventLevel(event),
    event,
    run_id: runId,
    phase,
    shard,
    attempt,
    message: describeEvent({ event, phase, shard, attempt, data }),
    data,
  };
}
