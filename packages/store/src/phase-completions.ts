import { randomUUID } from "node:crypto";
import type { Decision } from "@fanfold/core";
import { FinishVerdictSchema, type PhaseProgress, PhaseProgressSchema } from "@fanfold/schemas";
import { parseClaim } from "./claimed-shard.ts";
import { type CommitOn, commitArguments } from "./decision-change.ts";
import type { Keys, ShardRef } from "./keys.ts";
import { parseProgress } from "./ledger.ts";
import { finishArguments, finishKeys, openArguments } from "./ledger-arguments.ts";
import type { Carrier, FinishReply, PhaseOpening, ShardFinish } from "./ledger-moves.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { type CommitResult, commitResult } from "./run-store.ts";
import { Script, strings } from "./scripts.ts";
import { parseShard } from "./shard-text.ts";

const COMPLETE_PHASE = new Script("complete_phase");

/** The end of the attempt that completes a phase, and the decision on that. */
export interface PhaseCompletion {
  readonly ref: ShardRef;
  readonly finish: ShardFinish;
  /** The end is on record: only the decision is tried again. */
  readonly isFinished: boolean;
  /** Under whose name the next shards are claimed. */
  readonly claimant: string;
  readonly on: CommitOn;
  readonly decision: Decision;
  /** The job of another shard, the claimant, carries this one. */
  readonly isCarried: boolean;
  /** What the claimant's job may carry next; nothing when absent. */
  readonly carrying?: Carrying | undefined;
  /** Phases that the decision starts and that are opened with it; their effects are not in the decision. */
  readonly openings: readonly PhaseOpening[];
}

/** A job that may go on with a shard of a phase that is opened. */
export interface Carrying extends Carrier {
  /** The phases that it may go on with. */
  readonly phases: readonly string[];
}

/** What came of a completion. */
export interface CompletionReply {
  readonly finished: FinishReply;
  /** Undefined when there was nothing to commit: the attempt did not complete the phase. */
  readonly committed: CommitResult | undefined;
  /** States of the phases that were opened, in their order; none when nothing was committed. */
  readonly opened: readonly PhaseProgress[];
  /** Shards of the run in flight, claimed ones included. */
  readonly inFlight: number;
}

/** Completes phases: one hop of a run in one step. */
export class PhaseCompletions {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Ends an attempt and, if it completes its phase, commits the decision, opens phases, and claims what may run: all
   * at once. When the decision cannot be committed the attempt has ended all the same. May be repeated.
   *
   * @throws {StoreError} RUN_NOT_FOUND
   */
  async complete(runId: string, completion: PhaseCompletion): Promise<CompletionReply> {
    const { ref, finish, isFinished, isCarried, carrying, claimant, on, decision, openings } = completion;
    const { nowMs } = finish;
    const [verdict, progress, seq, committed, inFlight, opened = "[]", carried = "", ...claimed] = strings(
      await COMPLETE_PHASE.run(this.#redis, this.#keysOf(runId), [
        ...finishArguments(runId, ref, finish, claimant),
        isFinished ? 1 : 0,
        ...commitArguments(runId, on, decision, { nowMs }),
        isCarried ? 1 : 0,
        JSON.stringify(carrying?.phases ?? []),
        carrying?.pool ?? "",
        carrying?.worker ?? "",
        carrying?.lossLimit ?? 0,
        randomUUID(),
        openings.length,
        ...openings.flatMap((opening) => openArguments(opening, claimant, nowMs)),
      ]),
    );
    return {
      finished: {
        verdict: FinishVerdictSchema.parse(verdict),
        progress: parseProgress(progress),
        seq: Number(seq),
        claimed: claimed.map(parseClaim),
        opensGate: false,
        carried: carried === "" ? undefined : parseShard(carried),
      },
      committed: committed === "" ? undefined : commitResult(runId, Number(committed)),
      opened: PhaseProgressSchema.array().parse(JSON.parse(opened)),
      inFlight: Number(inFlight),
    };
  }

  #keysOf(runId: string): string[] {
    const keys = this.#keys.run(runId);
    return [
      ...finishKeys(this.#keys, keys),
      keys.phases,
      keys.changed,
      keys.outbox,
      this.#keys.liveRuns,
      keys.plan,
      keys.revisions,
      keys.folds,
      keys.source,
      keys.inputs,
      this.#keys.limitedPools,
    ];
  }
}
