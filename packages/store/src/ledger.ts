import { randomUUID } from "node:crypto";
import {
  FinishVerdictSchema,
  type Fold,
  type PhaseProgress,
  PhaseProgressSchema,
  StartVerdictSchema,
} from "@fanfold/schemas";
import { BlockLedger } from "./block-ledger.ts";
import { type ClaimedShard, parseClaim } from "./claimed-shard.ts";
import {
  type Keys,
  type PhaseRef,
  parsePhaseRevision,
  phaseRevisionId,
  type ShardRef,
  shardId,
  shardJobsOf,
} from "./keys.ts";
import { claimKeys, finishArguments, finishKeys, openArguments } from "./ledger-arguments.ts";
import type {
  FinishReply,
  PhaseOpening,
  RecallReply,
  ShardFinish,
  ShardMetric,
  ShardRepair,
  ShardStart,
  StartReply,
  EndedBy,
} from "./ledger-moves.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script, strings } from "./scripts.ts";
import { parseShard } from "./shard-text.ts";

import { StoreError } from "./store-error.ts";

const OPEN_PHASE = new Script("open_phase");
const CLAIM_SHARDS = new Script("claim_shards");
const ACK_CLAIMS = new Script("ack_claims");
const START_SHARD = new Script("start_shard");
const FINISH_SHARD = new Script("finish_shard");
const STOP_RELEASE = new Script("stop_release");
const RECALL_SHARDS = new Script("recall_shards");
const DISCARD_SHARDS = new Script("discard_shards");
const FORGET_RECALL = new Script("forget_recall");
const PAUSE_RELEASE = new Script("pause_release");
const REPORT_PROGRESS = new Script("report_progress");
const REQUEUE_SHARDS = new Script("requeue_shards");
const NOTE_SHARD_REPAIR = new Script("note_shard_repair");
const NOTE_PHASE_REPAIR = new Script("note_phase_repair");
const RECORD_FOLD = new Script("record_fold");

/** Statuses of shards that have a job on a queue, or want one. */
const REPAIRED = ["released", "running", "backoff", "waiting", "spawned"] as const;

/** A shard's job is put back at most once in this time, in ms: two sweeps may see the same gap. */
const REPAIR_PAUSE_MS = 5_000;

/** Shards named in one command. */
const PAGE = 500;

/**
 * The ledger of the runs: who may run, who runs, and what came of it. Invariants:
 * 1. a shard's result is accepted at most once per revision, from the attempt that holds its fence;
 * 2. shards in flight never exceed the cap of the run or of the phase;
 * 3. every shard that was claimed is put on its queue, or claimed again under the same name.
 */
export class Ledger extends BlockLedger {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  /** Keys of the slots that runs share. */
  readonly #slotKeys: readonly string[];

  constructor(redis: RedisClient, keys: Keys) {
    super(redis, keys);
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
        [...claimKeys(keys), keys.journal, keys.inputs, ...this.#slotKeys, keys.recalled, keys.ahead],
        [...openArguments(opening, claimant, nowMs), opening.firstBlock],
      ),
    );
    if (progress === "gone") throw new StoreError("RUN_NOT_FOUND", `run ${runId} was removed`);
    return { progress: PhaseProgressSchema.parse(progress), claimed: claimed.map(parseClaim) };
  }

  /** Forgets what was to be done with the shards of a making that is begun anew; nothing once the phase is open again. */
  async discardShards(runId: string, { phase, revision }: PhaseRef, shards: number): Promise<void> {
    const { ledger, released, started, cancelled, recalled, progress } = this.#keys.run(runId);
    for (let from = 0; from === 0 || from < shards; from += PAGE) {
      const to = Math.min(shards, from + PAGE);
      await DISCARD_SHARDS.run(
        this.#redis,
        [ledger, released, started, cancelled, recalled, progress],
        [phase, revision, from, to],
      );
    }
  }

  /** Claims free slots; a shard that asked for one is queued for it first. */
  async claim(runId: string, claimant: string, waiting?: ShardRef): Promise<ClaimedShard[]> {
    const keys = this.#keys.run(runId);
    const id = waiting === undefined ? "" : shardId(waiting);
    return strings(
      await CLAIM_SHARDS.run(this.#redis, [...claimKeys(keys), ...this.#slotKeys, keys.ahead], [claimant, id]),
    ).map(parseClaim);
  }

  /**
   * Acknowledges a claim.
   *
   * @param options.carried whether that goes for what the claimant's job carries, too; or for which one of that
   * @returns phases all of whose shards are on their queues: their gates may go
   */
  async ackClaims(
    runId: string,
    claimant: string,
    { carried }: { readonly carried: boolean | ShardRef },
  ): Promise<PhaseRef[]> {
    const keys = this.#keys.run(runId);
    const only = typeof carried === "boolean" ? "" : shardId(carried);
    const args = [claimant, carried === false ? 1 : 0, only];
    const reply = await ACK_CLAIMS.run(this.#redis, [keys.ledger, keys.claims], args);
    return strings(reply).map(parsePhaseRevision);
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
      record: record === "" ? undefined : parseShard(record),
      progress: parseProgress(progress),
      seq: Number(seq),
    };
  }

  /**
   * Ends an attempt, claims the next shards for the claimant, and starts one of them where its job goes on with it. A
   * result with a fingerprint may be reused from now on.
   */
  async finishShard(
    runId: string,
    ref: ShardRef,
    finish: ShardFinish,
    { claimant, isCarried = false, carrier }: EndedBy,
  ): Promise<FinishReply> {
    const { waiting, prioritized, meta } = this.#keys.queueOf(carrier?.pool ?? "");
    const [verdict, progress, seq, opensGate, carried = "", ...claimed] = strings(
      await FINISH_SHARD.run(
        this.#redis,
        [...finishKeys(this.#keys, this.#keys.run(runId)), this.#keys.limitedPools, waiting, prioritized, meta],
        [
          ...finishArguments(runId, ref, finish, claimant),
          finish.durationMs ?? "",
          isCarried ? 1 : 0,
          carrier?.pool ?? "",
          carrier?.worker ?? "",
          carrier?.lossLimit ?? 0,
          randomUUID(),
          shardJobsOf(runId, ref),
        ],
      ),
    );
    return {
      verdict: FinishVerdictSchema.parse(verdict),
      progress: parseProgress(progress),
      seq: Number(seq),
      claimed: claimed.map(parseClaim),
      opensGate: opensGate === "1",
      carried: carried === "" ? undefined : parseShard(carried),
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

  /** Cancels what a stopped run has on its queues. @returns the phases that have nothing left that runs */
  async stopRelease(runId: string, nowMs: number): Promise<PhaseRef[]> {
    for (;;) {
      const [more, ...drained] = await this.#stopSome(runId, nowMs);
      if (more !== "1") return drained.map(parsePhaseRevision);
    }
  }

  async #stopSome(runId: string, nowMs: number): Promise<string[]> {
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
    return strings(reply);
  }

  /**
   * Lets nothing more start of a phase, or of one shard of it, and cancels what has not been started.
   *
   * @returns how the phase stands; `unopened` before it is opened; `over` when the shard has had its end
   */
  async recall(
    runId: string,
    ref: PhaseRef,
    { shard, actor, nowMs }: { readonly shard: number | undefined; readonly actor: string; readonly nowMs: number },
  ): Promise<RecallReply> {
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
        keys.started,
      ],
      [ref.phase, ref.revision, shard ?? "", nowMs, actor],
    );
    return reply === "unopened" || reply === "over" ? reply : PhaseProgressSchema.parse(reply);
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

  /** Makes failed or cancelled shards of a phase wait for a slot, or for what they spawned, and claims what may run. */
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
      [...claimKeys(keys), keys.cancelled, ...this.#slotKeys, keys.recalled, keys.ahead, keys.started],
      [ref.phase, ref.revision, claimant, order, JSON.stringify(ids)],
    );
    return strings(reply).map(parseClaim);
  }

  /** Says that the job of a shard is put back, unless the shard needs none or that was said a moment ago. */
  async noteShardRepair(
    runId: string,
    ref: ShardRef,
    { reason, nowMs, wasInBlock }: { reason: string; nowMs: number; wasInBlock: boolean },
  ): Promise<ShardRepair> {
    const keys = this.#keys.run(runId);
    const [status, untilMs] = strings(
      await NOTE_SHARD_REPAIR.run(
        this.#redis,
        [keys.run, keys.ledger, keys.shards, keys.started, keys.journal],
        [shardId(ref), nowMs, reason, REPAIR_PAUSE_MS, wasInBlock ? 1 : 0],
      ),
    );
    return { status: REPAIRED.find((one) => one === status), untilMs: Number(untilMs) };
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
}

/** State of a phase as scripts give it. */
export function parseProgress(text: string | undefined): PhaseProgress | undefined {
  return text ? PhaseProgressSchema.parse(text) : undefined;
}
