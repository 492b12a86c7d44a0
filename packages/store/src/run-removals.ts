import type { RunAge } from "@fanfold/core";
import type { ShardRecord } from "@fanfold/schemas";
import { type Keys, type PhaseRef, parseShardId, type ShardRef } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { scanHash } from "./scan-hash.ts";
import { parseShard } from "./shard-text.ts";
import { Script } from "./scripts.ts";

const BEGIN_REMOVAL = new Script("begin_removal");
const END_REMOVAL = new Script("end_removal");

/** Hashes of a run whose values name content of the artifact store. */
const REFERRING = ["phases", "revisions", "folds", "inputs", "shards", "consumed"] as const;
/** A hash of content, wherever it stands in a record. */
const SHA256_FIELD = /"sha256":"([0-9a-f]{64})"/g;
/** Ids read from an index in one round trip. */
const PAGE = 500;

/** What {@link RunRemovals.begin} found. */
export type RemovalStart =
  | { readonly kind: "begun" }
  | { readonly kind: "gone" }
  | { readonly kind: "live"; readonly status: string };

/** A shard that has, or had, a job. */
export interface ReleasedShard extends ShardRef {
  readonly record: ShardRecord;
}

/**
 * Removes runs: a mark first, which stops everything else from working on the run, and the keys with the index entry
 * last. A removal that died in between is found by its mark and can be begun again.
 */
export class RunRemovals {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Marks an ended run as being removed. One that somebody else has marked is taken over from them.
   *
   * @param token name of the remover, used once
   */
  async begin(runId: string, token: string): Promise<RemovalStart> {
    const reply = await BEGIN_REMOVAL.run(
      this.#redis,
      [this.#keys.run(runId).run, this.#keys.removingRuns],
      [runId, token],
    );
    const [kind, status = ""] = Array.isArray(reply) ? reply.map(String) : [];
    if (kind === "live") return { kind, status };
    return { kind: kind === "begun" ? kind : "gone" };
  }

  /** Token of whoever removes the run now. */
  async findToken(runId: string): Promise<string | undefined> {
    return (await this.#redis.hget(this.#keys.run(runId).run, "removing")) ?? undefined;
  }

  /** Removes the keys of a run and its index entries, in one step. @returns the number of keys, 0 for another token's */
  async end(runId: string, token: string): Promise<number> {
    const { run, ...others } = this.#keys.run(runId);
    const { runs, liveRuns, removingRuns } = this.#keys;
    const keys = Object.values(others);
    const held = await this.#redis.exists(run, ...keys);
    const ended = await END_REMOVAL.run(this.#redis, [run, runs, liveRuns, removingRuns, ...keys], [runId, token]);
    return ended === 1 ? held : 0;
  }

  /** Ids of the runs whose removal has begun and not ended. */
  listBegun(): Promise<string[]> {
    return this.#redis.smembers(this.#keys.removingRuns);
  }

  /** Revisions of phases that were ever opened: each has a flow on the queues, or had one. */
  async listOpened(runId: string): Promise<PhaseRef[]> {
    const { inputs, ledger } = this.#keys.run(runId);
    const opened = new Map<string, PhaseRef>();
    for await (const page of scanHash(this.#redis, inputs)) {
      for (const [id] of page) {
        const { phase, revision } = parseShardId(`${id}.0`);
        opened.set(id, { phase, revision });
      }
    }
    for (const phase of await this.#redis.hkeys(ledger)) {
      if (!opened.has(`${phase}.r1`)) opened.set(`${phase}.r1`, { phase, revision: 1 });
    }
    return [...opened.values()];
  }

  /** Pages of the shards that were ever released. */
  async *scanShards(runId: string): AsyncGenerator<ReleasedShard[]> {
    for await (const page of scanHash(this.#redis, this.#keys.run(runId).shards)) {
      yield page.map(([id, text]) => ({ ...parseShardId(id), record: parseShard(text) }));
    }
  }

  /** Removes the live output of attempts. @returns how many were there */
  async removeLogs(runId: string, attempts: readonly (ShardRef & { readonly attempts: number })[]): Promise<number> {
    const keys = attempts.flatMap((ref) =>
      Array.from({ length: ref.attempts }, (_, i) => this.#keys.attemptLog(runId, ref, i + 1)),
    );
    let removed = 0;
    for (let i = 0; i < keys.length; i += PAGE) removed += await this.#redis.unlink(...keys.slice(i, i + PAGE));
    return removed;
  }

  /** Hashes of all content a run's records name, page by page; some may come more than once. */
  async *scanReferences(runId: string): AsyncGenerator<string[]> {
    const keys = this.#keys.run(runId);
    for (const name of REFERRING) {
      for await (const page of scanHash(this.#redis, keys[name])) {
        const found = page.flatMap(([, text]) => [...text.matchAll(SHA256_FIELD)].flatMap(([, sha]) => sha ?? []));
        if (found.length > 0) yield found;
      }
    }
  }

  /** All runs that are there from the beginning to the end of the scan, page by page, in no order. */
  async *scanAges(): AsyncGenerator<RunAge[]> {
    let cursor = "0";
    do {
      const [next, flat] = await this.#redis.zscan(this.#keys.runs, cursor, "COUNT", PAGE);
      cursor = next;
      yield await this.#loadAges(flat.filter((_, i) => i % 2 === 0));
    } while (cursor !== "0");
  }

  async #loadAges(ids: readonly string[]): Promise<RunAge[]> {
    const reads = this.#redis.pipeline();
    for (const id of ids) reads.hmget(this.#keys.run(id).run, "status", "created_at_ms", "finished_at_ms");
    const replies = (await reads.exec()) ?? [];
    return replies.flatMap(([error, fields], i) => {
      const runId = ids[i] ?? "";
      if (error !== null) throw error;
      const [status, created, finished] = Array.isArray(fields) ? fields : [];
      if (typeof status !== "string") return [];
      const isOver = status !== "queued" && status !== "running";
      const finishedAtMs = isOver && finished ? Number(finished) : undefined;
      return [{ runId, createdAtMs: Number(created), finishedAtMs }];
    });
  }
}
