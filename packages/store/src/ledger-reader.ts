import {
  type Content,
  type Fold,
  FoldSchema,
  type PhaseInputs,
  PhaseInputsSchema,
  type PhaseLedger,
  PhaseLedgerSchema,
  type ShardRecord,
} from "@fanfold/schemas";
import { parseClaim, shardsOf } from "./claimed-shard.ts";
import { type Keys, type PhaseRef, parseShardId, phaseRevisionId, type ShardRef, shardId } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { untilAccepted } from "./redis/redis-health.ts";
import { strings } from "./scripts.ts";
import { parseOutput, parseShard } from "./shard-text.ts";
import { StoreError } from "./store-error.ts";

/** A phase's counts, and the state of its run at the moment they were read. */
export interface PhaseFacts {
  readonly counts: PhaseLedger;
  readonly version: number;
  readonly isStopped: boolean;
  /** A decision to resume the phase is committed and not yet carried out: the counts are about to change. */
  readonly isResuming: boolean;
  /** The phase, or a shard of it, was cancelled by hand. */
  readonly isRecalled: boolean;
}

/** What the ledger of the runs says. Nothing here changes it; `Ledger` does. */
export class LedgerReader {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Counts of a phase, or undefined before it was opened. */
  async findPhase(runId: string, phase: string): Promise<PhaseLedger | undefined> {
    const text = await this.#redis.hget(this.#keys.run(runId).ledger, phase);
    return text === null ? undefined : PhaseLedgerSchema.parse(JSON.parse(text));
  }

  /**
   * Counts of a phase together with what they must be judged by, read at one moment: the run's version and stop,
   * and whether the phase is just being resumed.
   */
  async findPhaseFacts(runId: string, { phase, revision }: PhaseRef): Promise<PhaseFacts | undefined> {
    const keys = this.#keys.run(runId);
    const resuming = `resume_release.${phaseRevisionId(phase, revision)}`;
    const reply = await untilAccepted(() =>
      this.#redis
        .multi()
        .hget(keys.ledger, phase)
        .hmget(keys.run, "version", "stop")
        .hexists(keys.outbox, resuming)
        .smembers(keys.recalled)
        .exec(),
    );
    const [counts, run, isResuming, recalled] = (reply ?? []).map(([, value]) => value);
    if (typeof counts !== "string") return undefined;
    const [version, stop] = strings(run);
    return {
      counts: PhaseLedgerSchema.parse(JSON.parse(counts)),
      version: Number(version),
      isStopped: stop !== "",
      isResuming: isResuming === 1,
      isRecalled: strings(recalled).some((id) => `${id}.`.startsWith(`${phaseRevisionId(phase, revision)}.`)),
    };
  }

  /** Shards of a run that hold a slot: they are on a queue or run. */
  async countInFlight(runId: string): Promise<number> {
    return Number((await this.#redis.hget(this.#keys.run(runId).run, "in_flight")) ?? 0);
  }

  /** Counts of every phase that was opened. */
  async loadPhases(runId: string): Promise<Map<string, PhaseLedger>> {
    const fields = await this.#redis.hgetall(this.#keys.run(runId).ledger);
    return new Map(Object.entries(fields).map(([id, text]) => [id, PhaseLedgerSchema.parse(JSON.parse(text))]));
  }

  /** Record of a shard, or undefined before it was released. */
  async findShard(runId: string, ref: ShardRef): Promise<ShardRecord | undefined> {
    const [record] = await this.listShards(runId, ref, ref.shard, ref.shard + 1);
    return record;
  }

  /** Records of the shards `from` … `to` − 1, undefined where a shard was not released yet. */
  listShards(runId: string, ref: PhaseRef, from: number, to: number): Promise<(ShardRecord | undefined)[]> {
    return this.findShards(
      runId,
      ref,
      Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i),
    );
  }

  /** Records of these shards, undefined where a shard was not released yet. */
  async findShards(
    runId: string,
    { phase, revision }: PhaseRef,
    shards: readonly number[],
  ): Promise<(ShardRecord | undefined)[]> {
    if (shards.length === 0) return [];
    const ids = shards.map((shard) => shardId({ phase, revision, shard }));
    const texts = await this.#redis.hmget(this.#keys.run(runId).shards, ...ids);
    return texts.map((text) => (text === null ? undefined : parseShard(text)));
  }

  /** Accepted outputs of the shards `from` … `to` − 1, undefined where there is none: cheaper than their records. */
  async listOutputs(
    runId: string,
    { phase, revision }: PhaseRef,
    from: number,
    to: number,
  ): Promise<(Content | undefined)[]> {
    if (to <= from) return [];
    const ids = Array.from({ length: to - from }, (_, i) => shardId({ phase, revision, shard: from + i }));
    const texts = await this.#redis.hmget(this.#keys.run(runId).shards, ...ids);
    return texts.map((text) => (text === null ? undefined : parseOutput(text)));
  }

  /** Where the input of a phase's shards is. @throws {StoreError} RUN_NOT_FOUND when the phase was never opened */
  async getInputs(runId: string, { phase, revision }: PhaseRef): Promise<PhaseInputs> {
    const text = await this.#redis.hget(this.#keys.run(runId).inputs, phaseRevisionId(phase, revision));
    if (text === null) {
      throw new StoreError("RUN_NOT_FOUND", `run ${runId} has no phase ${phase} in revision ${revision}`);
    }
    return PhaseInputsSchema.parse(JSON.parse(text));
  }

  /** What came of the aggregate of a phase, if it has ended. */
  async findFold(runId: string, { phase, revision }: PhaseRef): Promise<Fold | undefined> {
    const text = await this.#redis.hget(this.#keys.run(runId).folds, phaseRevisionId(phase, revision));
    return text === null ? undefined : FoldSchema.parse(JSON.parse(text));
  }

  /** Names of claimants with shards that may not be on their queues yet. */
  listClaimants(runId: string): Promise<string[]> {
    return this.#redis.hkeys(this.#keys.run(runId).claims);
  }

  /** The shards that the job of a claimant carries. */
  async listCarried(runId: string, claimant: string): Promise<ShardRef[]> {
    const text = await this.#redis.hget(this.#keys.run(runId).claims, claimant);
    const claimed = text === null ? [] : strings(JSON.parse(text)).map(parseClaim);
    return claimed.filter(({ carried }) => carried);
  }

  /**
   * Shards that must have a job on a queue: released, running or in backoff. One that is just being put there by
   * whoever claimed it is left out. As many as the caps allow, and those in backoff.
   */
  async listAtWork(runId: string): Promise<ShardRef[]> {
    const keys = this.#keys.run(runId);
    const reply = await untilAccepted(() =>
      this.#redis.multi().smembers(keys.released).smembers(keys.started).hvals(keys.claims).exec(),
    );
    const [released, started, claims] = (reply ?? []).map(([, value]) => strings(value));
    const claimed = new Set(
      shardsOf((claims ?? []).flatMap((text) => strings(JSON.parse(text)).map(parseClaim))).map(shardId),
    );
    const ids = new Set([...(released ?? []), ...(started ?? [])]);
    return [...ids].filter((id) => !claimed.has(id)).map(parseShardId);
  }

  /** Indexes of the shards of a phase that a stop cancelled. */
  async listCancelled(runId: string, ref: PhaseRef): Promise<number[]> {
    const ids = await this.#redis.smembers(this.#keys.run(runId).cancelled);
    const shards = ids.map(parseShardId).filter((s) => s.phase === ref.phase && s.revision === ref.revision);
    return shards.map(({ shard }) => shard).sort((a, b) => a - b);
  }

  /** Indexes of the shards of a phase that were cancelled by hand one by one. */
  async listRecalled(runId: string, ref: PhaseRef): Promise<number[]> {
    const recalled = await this.#redis.smembers(this.#keys.run(runId).recalled);
    const opening = `${phaseRevisionId(ref.phase, ref.revision)}.`;
    return recalled.filter((id) => id.startsWith(opening)).map((id) => parseShardId(id).shard);
  }
}
