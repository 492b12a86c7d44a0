import { randomUUID } from "node:crypto";
import {
  type CompiledPhase,
  type FinishVerdict,
  FinishVerdictSchema,
  type Fold,
  FoldSchema,
  type PhaseInputs,
  PhaseInputsSchema,
  type PhaseLedger,
  PhaseLedgerSchema,
  type PhaseProgress,
  PhaseProgressSchema,
  type ShardRecord,
  ShardRecordSchema,
  type StartVerdict,
  StartVerdictSchema,
} from "@fanfold/schemas";
import { type Keys, parseShardId, phaseRevisionId, type RunKeys, type ShardRef, shardId } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { untilAccepted } from "./redis/redis-health.ts";
import { Script } from "./scripts.ts";
import { StoreError } from "./store-error.ts";

const OPEN_PHASE = new Script("open_phase");
const CLAIM_SHARDS = new Script("claim_shards");
const ACK_CLAIMS = new Script("ack_claims");
const START_SHARD = new Script("start_shard");
const FINISH_SHARD = new Script("finish_shard");
const STOP_RELEASE = new Script("stop_release");
const RECALL_SHARDS = new Script("recall_shards");
const FORGET_RECALL = new Script("forget_recall");
const PAUSE_RELEASE = new Script("pause_release");
const REPORT_PROGRESS = new Script("report_progress");
const REQUEUE_SHARDS = new Script("requeue_shards");
const NOTE_SHARD_REPAIR = new Script("note_shard_repair");
const NOTE_PHASE_REPAIR = new Script("note_phase_repair");
const RECORD_FOLD = new Script("record_fold");

/** A shard's job is put back at most once in this time, in ms: two sweeps may see the same gap. */
const REPAIR_PAUSE_MS = 5_000;

/**
 * Shards of a phase in flight at once where no cap is lower. Also how far one run can get ahead of another with
 * shards that were on the queue before.
 */
const RELEASE_WINDOW = 250;

/** A phase in the making of a revision. */
export interface PhaseRef {
  readonly phase: string;
  readonly revision: number;
}

/** A shard that was given a slot and must now be put on its queue. */
export interface ClaimedShard extends ShardRef {
  /** It had been on its queue before: its job may exist, delayed or failed. */
  readonly again: boolean;
}

/** What {@link Ledger.openPhase} needs to know of a phase. */
export interface PhaseOpening extends PhaseRef {
  /** Position in declaration order. */
  readonly order: number;
  readonly shardCount: number;
  readonly maxParallel: number | null;
  /** Failed shards that are tolerated. */
  readonly tolerated: number;
  /** Shards failing in a row after which no more is released. */
  readonly maxConsecutiveFailures: number | null;
  readonly concurrencyKey: CompiledPhase["concurrency_key"];
  readonly inputs: PhaseInputs;
  /** Data of the `phase_started` event. */
  readonly started: Readonly<Record<string, string | number | null>>;
}

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

/** What {@link Ledger.startShard} needs to know of a start. */
export interface ShardStart {
  readonly worker: string;
  readonly nowMs: number;
  /** Starts of the job that no stall caused. */
  readonly starts: number;
  /** The run was re-opened for a hand retry of this shard. */
  readonly reopened: boolean;
  /** Most workers a shard may lose before it fails. */
  readonly lossLimit: number;
}

/** Answer to a start; `lua/start_shard.lua` says what each verdict means. */
export interface StartReply {
  readonly verdict: StartVerdict;
  readonly record: ShardRecord | undefined;
  /** Undefined where the ledger did not look. */
  readonly progress: PhaseProgress | undefined;
  /** Journal position of the event this start caused, where it ended the shard. */
  readonly seq: number;
}

/** Outcome of an attempt, as {@link Ledger.finishShard} records it. */
export interface ShardFinish {
  readonly fence: number;
  readonly attempt: number;
  readonly outcome: "succeeded" | "backoff" | "failed" | "cancelled" | "given_back";
  readonly record: ShardRecord;
  readonly events: readonly (readonly [event: string, data: object])[];
  readonly nowMs: number;
  /** Cost of the attempt, in USD; 0 when unknown. */
  readonly costUsd: number;
}

/** What became of a shard whose job is gone; `lua/note_shard_repair.lua` says how it is decided. */
export interface ShardRepair {
  /** Undefined when nothing is to be done. */
  readonly status: "released" | "running" | "backoff" | "waiting" | undefined;
  /** End of the backoff, Unix ms; 0 when there is none. */
  readonly untilMs: number;
}

/** Answer to a cancellation by hand. */
export type RecallReply = PhaseProgress | "unopened" | "over";

/** What an attempt says of one of its metrics. */
export interface ShardMetric {
  readonly unit: string;
  readonly completed: number;
  /** Missing while the attempt does not know it. */
  readonly total?: number;
}

/** Answer to a finish; `lua/finish_shard.lua` says what each verdict means. */
export interface FinishReply {
  readonly verdict: FinishVerdict;
  /** Undefined when the result was refused. */
  readonly progress: PhaseProgress | undefined;
  readonly seq: number;
  readonly claimed: readonly ClaimedShard[];
}

/**
 * The ledger of the runs: who may run, who runs, and what came of it. Invariants:
 * 1. a shard's result is accepted at most once per revision, from the attempt that holds its fence;
 * 2. shards in flight never exceed the cap of the run or of the phase;
 * 3. every shard that was claimed is put on its queue, or claimed again under the same name.
 */
export class Ledger {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  /** Keys of the slots that runs share. */
  readonly #slotKeys: readonly string[];

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#slotKeys = [keys.semaphores, keys.holders];
  }

  /**
   * Opens a phase and claims its first shards. Doing it twice repeats the claim and nothing else.
   *
   * @throws {StoreError} RUN_NOT_FOUND when the run was removed, or is just being
   */
  async openPhase(
    runId: string,
    opening: PhaseOpening,
    { claimant, nowMs }: { claimant: string; nowMs: number },
  ): Promise<{ progress: PhaseProgress; claimed: ClaimedShard[] }> {
    const keys = this.#keys.run(runId);
    const [progress, ...claimed] = strings(
      await OPEN_PHASE.run(
        this.#redis,
        [...claimKeys(keys), keys.journal, keys.inputs, ...this.#slotKeys, keys.recalled],
        [
          opening.phase,
          opening.revision,
          claimant,
          nowMs,
          opening.order,
          opening.shardCount,
          opening.maxParallel ?? 0,
          RELEASE_WINDOW,
          JSON.stringify(opening.inputs),
          JSON.stringify(opening.started),
          opening.tolerated,
          opening.maxConsecutiveFailures ?? 0,
          opening.concurrencyKey?.name ?? "",
          opening.concurrencyKey?.limit ?? "",
        ],
      ),
    );
    if (progress === "gone") throw new StoreError("RUN_NOT_FOUND", `run ${runId} was removed`);
    return { progress: PhaseProgressSchema.parse(progress), claimed: claimed.map(parseClaim) };
  }

  /** Claims free slots; a shard that asked for one is queued for it first. */
  async claim(runId: string, claimant: string, waiting?: ShardRef): Promise<ClaimedShard[]> {
    const keys = this.#keys.run(runId);
    const id = waiting === undefined ? "" : shardId(waiting);
    return strings(await CLAIM_SHARDS.run(this.#redis, [...claimKeys(keys), ...this.#slotKeys], [claimant, id])).map(
      parseClaim,
    );
  }

  /** Acknowledges a claim. @returns phases all of whose shards are on their queues: their gates may go */
  async ackClaims(runId: string, claimant: string): Promise<PhaseRef[]> {
    const keys = this.#keys.run(runId);
    return strings(await ACK_CLAIMS.run(this.#redis, [keys.ledger, keys.claims], [claimant])).map(parsePhaseRevision);
  }

  /** Names of claimants with shards that may not be on their queues yet. */
  listClaimants(runId: string): Promise<string[]> {
    return this.#redis.hkeys(this.#keys.run(runId).claims);
  }

  /** Starts an attempt, or says why it may not. */
  async startShard(runId: string, ref: ShardRef, start: ShardStart): Promise<StartReply> {
    const keys = this.#keys.run(runId);
    const [verdict, record = "", progress, seq] = strings(
      await START_SHARD.run(
        this.#redis,
        [
          keys.run,
          keys.ledger,
          keys.shards,
          keys.released,
          keys.cancelled,
          keys.journal,
          ...this.#slotKeys,
          keys.recalled,
          keys.started,
        ],
        [shardId(ref), start.worker, start.nowMs, start.starts, start.reopened ? 1 : 0, start.lossLimit, randomUUID()],
      ),
    );
    return {
      verdict: StartVerdictSchema.parse(verdict),
      record: record === "" ? undefined : ShardRecordSchema.parse(JSON.parse(record)),
      progress: parseProgress(progress),
      seq: Number(seq),
    };
  }

  /** Ends an attempt and claims the next shards for the claimant. */
  async finishShard(runId: string, ref: ShardRef, finish: ShardFinish, claimant: string): Promise<FinishReply> {
    const keys = this.#keys.run(runId);
    const [verdict, progress, seq, ...claimed] = strings(
      await FINISH_SHARD.run(
        this.#redis,
        [...claimKeys(keys), keys.journal, keys.cancelled, ...this.#slotKeys, keys.recalled, keys.started],
        [
          shardId(ref),
          finish.fence,
          finish.outcome,
          JSON.stringify(finish.record),
          finish.nowMs,
          finish.attempt,
          JSON.stringify(finish.events.map(([event, data]) => [event, JSON.stringify(data)])),
          claimant,
          finish.costUsd,
        ],
      ),
    );
    return {
      verdict: FinishVerdictSchema.parse(verdict),
      progress: parseProgress(progress),
      seq: Number(seq),
      claimed: claimed.map(parseClaim),
    };
  }

  /** Keeps the metrics a running shard reported; the journal tells the phase's sums at most every `everyMs`. */
  async reportProgress(
    runId: string,
    ref: ShardRef,
    metrics: Readonly<Record<string, ShardMetric>>,
    { nowMs, everyMs }: { nowMs: number; everyMs: number },
  ): Promise<void> {
    const keys = this.#keys.run(runId);
    await REPORT_PROGRESS.run(
      this.#redis,
      [keys.run, keys.progress, keys.journal, keys.ledger],
      [shardId(ref), JSON.stringify(metrics), nowMs, everyMs],
    );
  }

  /** Cancels what a stopped run has on its queues. */
  async stopRelease(runId: string, nowMs: number): Promise<{ drained: PhaseRef[]; cancelled: ShardRef[] }> {
    const keys = this.#keys.run(runId);
    const reply = await STOP_RELEASE.run(
      this.#redis,
      [
        keys.run,
        keys.ledger,
        keys.shards,
        keys.released,
        keys.cancelled,
        keys.journal,
        keys.waiting,
        keys.open,
        ...this.#slotKeys,
      ],
      [nowMs],
    );
    const [drained, cancelled] = Array.isArray(reply) ? reply : [];
    return { drained: strings(drained).map(parsePhaseRevision), cancelled: strings(cancelled).map(parseShardId) };
  }

  /**
   * Lets nothing more start of a phase, or of one shard of it, and cancels what has not been started.
   *
   * @returns how the phase stands; `unopened` before it is opened; `over` when the shard has had its end
   */
  async recall(runId: string, ref: PhaseRef, shard: number | undefined, nowMs: number): Promise<RecallReply> {
    const keys = this.#keys.run(runId);
    const reply = await RECALL_SHARDS.run(
      this.#redis,
      [
        keys.run,
        keys.ledger,
        keys.shards,
        keys.released,
        keys.waiting,
        keys.open,
        keys.cancelled,
        keys.journal,
        keys.recalled,
        ...this.#slotKeys,
      ],
      [ref.phase, ref.revision, shard ?? "", nowMs],
    );
    return reply === "unopened" || reply === "over" ? reply : PhaseProgressSchema.parse(reply);
  }

  /** Indexes of the shards of a phase that were cancelled by hand one by one. */
  async listRecalled(runId: string, ref: PhaseRef): Promise<number[]> {
    const recalled = await this.#redis.smembers(this.#keys.run(runId).recalled);
    const opening = `${phaseRevisionId(ref.phase, ref.revision)}.`;
    return recalled.filter((id) => id.startsWith(opening)).map((id) => parseShardId(id).shard);
  }

  /** Takes back that a phase, or shards of it, were cancelled by hand; the shards still have to be requeued. */
  async forgetRecall(runId: string, { phase, revision }: PhaseRef): Promise<void> {
    const { ledger, recalled } = this.#keys.run(runId);
    await FORGET_RECALL.run(this.#redis, [ledger, recalled], [phase, revision]);
  }

  /** Takes back what a paused run has on its queues. @returns the number of shards */
  async pauseRelease(runId: string): Promise<number> {
    const { run, ledger, shards, released, waiting } = this.#keys.run(runId);
    return Number(
      await PAUSE_RELEASE.run(this.#redis, [run, ledger, shards, released, waiting, ...this.#slotKeys], []),
    );
  }

  /** Makes failed or cancelled shards of a phase wait for a slot again, and claims what it may release. */
  async requeueShards(
    runId: string,
    ref: PhaseRef,
    shards: readonly number[],
    { order, claimant }: { order: number; claimant: string },
  ): Promise<ClaimedShard[]> {
    const keys = this.#keys.run(runId);
    const ids = shards.map((shard) => shardId({ ...ref, shard }));
    const reply = await REQUEUE_SHARDS.run(
      this.#redis,
      [...claimKeys(keys), keys.cancelled, ...this.#slotKeys, keys.recalled],
      [ref.phase, ref.revision, claimant, order, JSON.stringify(ids)],
    );
    return strings(reply).map(parseClaim);
  }

  /** Indexes of the shards of a phase that a stop cancelled. */
  async listCancelled(runId: string, ref: PhaseRef): Promise<number[]> {
    const ids = await this.#redis.smembers(this.#keys.run(runId).cancelled);
    const shards = ids.map(parseShardId).filter((s) => s.phase === ref.phase && s.revision === ref.revision);
    return shards.map(({ shard }) => shard).sort((a, b) => a - b);
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
    const claimed = new Set((claims ?? []).flatMap((text) => strings(JSON.parse(text)).map(parseClaim)).map(shardId));
    const ids = new Set([...(released ?? []), ...(started ?? [])]);
    return [...ids].filter((id) => !claimed.has(id)).map(parseShardId);
  }

  /** Says that the job of a shard is put back, unless the shard needs none or that was said a moment ago. */
  async noteShardRepair(
    runId: string,
    ref: ShardRef,
    { reason, nowMs }: { reason: string; nowMs: number },
  ): Promise<ShardRepair> {
    const keys = this.#keys.run(runId);
    const [status, untilMs] = strings(
      await NOTE_SHARD_REPAIR.run(
        this.#redis,
        [keys.run, keys.ledger, keys.shards, keys.started, keys.journal],
        [shardId(ref), nowMs, reason, REPAIR_PAUSE_MS],
      ),
    );
    const known = status === "released" || status === "running" || status === "backoff" || status === "waiting";
    return { status: known ? status : undefined, untilMs: Number(untilMs) };
  }

  /** Says that jobs of a phase are put back, if its run is going on. */
  async notePhaseRepair(
    runId: string,
    { phase, revision }: PhaseRef,
    { reason, nowMs }: { reason: string; nowMs: number },
  ): Promise<void> {
    const keys = this.#keys.run(runId);
    await NOTE_PHASE_REPAIR.run(this.#redis, [keys.run, keys.ledger, keys.journal], [phase, revision, nowMs, reason]);
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
    return texts.map((text) => (text === null ? undefined : ShardRecordSchema.parse(JSON.parse(text))));
  }

  /** Where the input of a phase's shards is. @throws {StoreError} RUN_NOT_FOUND when the phase was never opened */
  async getInputs(runId: string, { phase, revision }: PhaseRef): Promise<PhaseInputs> {
    const text = await this.#redis.hget(this.#keys.run(runId).inputs, phaseRevisionId(phase, revision));
    if (text === null) {
      throw new StoreError("RUN_NOT_FOUND", `run ${runId} has no phase ${phase} in revision ${revision}`);
    }
    return PhaseInputsSchema.parse(JSON.parse(text));
  }

  /** Keeps what came of an aggregate, unless its run is gone. A failure never replaces what was persisted. */
  async recordFold(runId: string, { phase, revision }: PhaseRef, fold: Fold): Promise<void> {
    const { run, folds } = this.#keys.run(runId);
    const isFailure = "failure" in fold ? 1 : 0;
    await RECORD_FOLD.run(
      this.#redis,
      [run, folds],
      [phaseRevisionId(phase, revision), JSON.stringify(fold), isFailure],
    );
  }

  /** Forgets that an aggregate failed, because it is tried again. */
  async clearFoldFailure(runId: string, ref: PhaseRef): Promise<void> {
    const fold = await this.findFold(runId, ref);
    if (fold === undefined || !("failure" in fold)) return;
    await this.#redis.hdel(this.#keys.run(runId).folds, phaseRevisionId(ref.phase, ref.revision));
  }

  /** What came of the aggregate of a phase, if it has ended. */
  async findFold(runId: string, { phase, revision }: PhaseRef): Promise<Fold | undefined> {
    const text = await this.#redis.hget(this.#keys.run(runId).folds, phaseRevisionId(phase, revision));
    return text === null ? undefined : FoldSchema.parse(JSON.parse(text));
  }
}

function claimKeys(keys: RunKeys): string[] {
  return [keys.run, keys.ledger, keys.shards, keys.released, keys.waiting, keys.open, keys.claims];
}

function parseClaim(text: string): ClaimedShard {
  const again = text.startsWith("~");
  return { ...parseShardId(again ? text.slice(1) : text), again };
}

function parseProgress(text: string | undefined): PhaseProgress | undefined {
  return text ? PhaseProgressSchema.parse(text) : undefined;
}

function parsePhaseRevision(id: string): PhaseRef {
  const { phase, revision } = parseShardId(`${id}.0`);
  return { phase, revision };
}

function strings(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
