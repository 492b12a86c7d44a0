import {
  type ReuseEntry,
  ReuseEntrySchema,
  type ReuseSource,
  type ShardRecord,
  type ShardResult,
} from "@fanfold/schemas";
import { type Keys, type PhaseRef, parseShardId, shardId } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { scanHash } from "./scan-hash.ts";
import { Script } from "./scripts.ts";
import { parseShard } from "./shard-text.ts";

const REUSE_SHARDS = new Script("reuse_shards");
const FORGET_REUSE = new Script("forget_reuse");

/** An accepted output that stands for every shard of its fingerprint. */
export interface ReusableOutput {
  readonly fingerprint: string;
  readonly result: ShardResult;
  /** Where it was made; `at_ms` is when. */
  readonly source: ReuseSource;
}

/** A shard that takes an output over. */
export interface ReusingShard extends ReusableOutput {
  readonly shard: number;
}

/**
 * Outputs of shards by fingerprint, over all runs of the deployment. An entry names a shard, and the record of that
 * shard has the output: it goes with its run, so an entry never keeps content alive, and never outlives it unnoticed.
 */
export class ReuseIndex {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Outputs to reuse, in the order of the fingerprints; undefined where there is none. Costs two round trips.
   *
   * @param notBeforeMs outputs that were made earlier do not count, Unix ms
   */
  async find(fingerprints: readonly string[], notBeforeMs: number): Promise<(ReusableOutput | undefined)[]> {
    if (fingerprints.length === 0) return [];
    const texts = await this.#redis.hmget(this.#keys.reuse, ...fingerprints);
    const entries = texts.map((text) => (text === null ? undefined : ReuseEntrySchema.parse(JSON.parse(text))));
    const records = await this.#loadRecords(entries);
    return entries.map((entry, i) => {
      const fingerprint = fingerprints[i];
      const record = records[i];
      if (entry === undefined || fingerprint === undefined || entry.at_ms < notBeforeMs) return undefined;
      // the run may have been removed, and its id used again
      if (record?.status !== "succeeded" || record.fingerprint !== fingerprint) return undefined;
      if (record.result === undefined) return undefined;
      const made = { run_id: entry.run_id, ...parseShardId(entry.shard), at_ms: entry.at_ms };
      return { fingerprint, result: record.result, source: record.reused_from ?? made };
    });
  }

  /** Lets shards of a phase that is being opened take outputs over. @returns how many did */
  async take(runId: string, ref: PhaseRef, shards: readonly ReusingShard[], nowMs: number): Promise<number> {
    const { run, ledger, shards: records, journal, ahead } = this.#keys.run(runId);
    const args = shards.flatMap(({ shard, fingerprint, result, source }) => {
      const record: ShardRecord = {
        status: "succeeded",
        finished_at_ms: nowMs,
        result,
        fingerprint,
        reused_from: source,
      };
      const entry: ReuseEntry = { run_id: runId, shard: shardId({ ...ref, shard }), at_ms: source.at_ms };
      return [shard, JSON.stringify(record), eventOf(ref, source), fingerprint, JSON.stringify(entry)];
    });
    const keys = [run, ledger, records, journal, this.#keys.reuse, ahead];
    return Number(await REUSE_SHARDS.run(this.#redis, keys, [ref.phase, ref.revision, nowMs, ...args]));
  }

  /** Forgets the outputs of a run that is being removed, unless another run has taken them over. */
  async forget(runId: string, fingerprints: readonly string[]): Promise<void> {
    if (fingerprints.length === 0) return;
    await FORGET_REUSE.run(this.#redis, [this.#keys.reuse], [runId, ...fingerprints]);
  }

  /** Forgets the outputs of runs that are gone, however that came. @returns how many */
  async forgetGone(): Promise<number> {
    let forgotten = 0;
    for await (const page of scanHash(this.#redis, this.#keys.reuse)) {
      const entries = page.map(([fingerprint, text]) => ({ fingerprint, ...ReuseEntrySchema.parse(JSON.parse(text)) }));
      const known = await this.#existing(new Set(entries.map(({ run_id }) => run_id)));
      for (const { fingerprint, run_id } of entries) {
        if (known.has(run_id)) continue;
        forgotten += Number(await FORGET_REUSE.run(this.#redis, [this.#keys.reuse], [run_id, fingerprint]));
      }
    }
    return forgotten;
  }

  async #existing(runIds: ReadonlySet<string>): Promise<Set<string>> {
    const ids = [...runIds];
    const found = await Promise.all(ids.map((id) => this.#redis.exists(this.#keys.run(id).run)));
    return new Set(ids.filter((_, i) => found[i] === 1));
  }

  /** Records of the entries' shards, as far as they are there: one command for each run they are in. */
  async #loadRecords(entries: readonly (ReuseEntry | undefined)[]): Promise<(ShardRecord | undefined)[]> {
    const places = new Map<string, number[]>();
    for (const [i, entry] of entries.entries()) {
      if (entry === undefined) continue;
      const group = places.get(entry.run_id);
      if (group === undefined) places.set(entry.run_id, [i]);
      else group.push(i);
    }
    const records: (ShardRecord | undefined)[] = entries.map(() => undefined);
    const reads = [...places].map(async ([runId, indexes]) => {
      const { run, shards } = this.#keys.run(runId);
      const ids = indexes.map((i) => entries[i]?.shard ?? "");
      const [removing, texts] = await Promise.all([
        this.#redis.hexists(run, "removing"),
        this.#redis.hmget(shards, ...ids),
      ]);
      if (removing === 1) return;
      for (const [at, i] of indexes.entries()) {
        const text = texts[at];
        if (typeof text === "string") records[i] = parseShard(text);
      }
    });
    await Promise.all(reads);
    return records;
  }
}

function eventOf({ revision }: PhaseRef, source: ReuseSource): string {
  const { run_id, phase, revision: fromRevision, shard, at_ms } = source;
  const from = { from_run: run_id, from_phase: phase, from_revision: fromRevision, from_shard: shard };
  return JSON.stringify({ revision, ...from, made_at_ms: at_ms });
}
