import { randomUUID } from "node:crypto";
import type { Decision } from "@fanfold/core";
import { FinishVerdictSchema, type PhaseProgress, PhaseProgressSchema, type ShardRecord } from "@fanfold/schemas";
import { type ClaimedShard, parseClaim } from "./claimed-shard.ts";
import { type CommitOn, commitArguments } from "./decision-change.ts";
import { type Keys, parseShardId, type ShardRef } from "./keys.ts";
import { parseProgress } from "./ledger.ts";
import { finishArguments, finishKeys, openArguments } from "./ledger-arguments.ts";
import type { Carrier, FinishReply, PhaseOpening, ShardFinish } from "./ledger-moves.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { type CommitResult, commitResult } from "./run-store.ts";
import { Script, type ScriptArgument, strings } from "./scripts.ts";
import { parseShard } from "./shard-text.ts";

const COMPLETE_PHASE = new Script("complete_phase");

/** The end of the attempt that completes a phase. */
export interface CompletingEnd {
  readonly ref: ShardRef;
  readonly finish: ShardFinish;
  /** The end is on record: only the decision is tried again. */
  readonly isFinished: boolean;
  /** Job that runs the attempt. */
  readonly claimant: string;
  /** That is the job of another shard, which carries this one. */
  readonly isCarried: boolean;
}

/** The ends of attempts that complete phases of a run, and the one decision on that. */
export interface PhaseCompletion {
  readonly ends: readonly CompletingEnd[];
  /** Job of one of the ends, under whose name the next shards are claimed. */
  readonly claimant: string;
  /** Time of the decision, Unix ms. */
  readonly nowMs: number;
  readonly on: CommitOn;
  readonly decision: Decision;
  /** What the claimant's job may carry next; nothing when absent. */
  readonly carrying?: Carrying | undefined;
  /** Phases that the decision starts and that are opened with it; their effects are not in the decision. */
  readonly openings: readonly PhaseOpening[];
}

/** A job that may go on with shards of phases that are opened. */
export interface Carrying extends Carrier {
  /** The phases that it may go on with. */
  readonly phases: readonly string[];
  /** Most shards that it may go on with. */
  readonly most: number;
}

/** What came of a completion. */
export interface CompletionReply {
  /** How each end was taken, in their order. */
  readonly ends: readonly TakenEnd[];
  /** Undefined when there was nothing to commit: not all ends complete their phases. */
  readonly committed: CommitResult | undefined;
  /** Under whose name shards were claimed; undefined when all ends were refused. */
  readonly claimant: string | undefined;
  /** None when nothing was committed. */
  readonly claimed: readonly ClaimedShard[];
  /** States of the phases that were opened, in their order; none when nothing was committed. */
  readonly opened: readonly PhaseProgress[];
  /** Records of the claimed shards that are carried from now on, in the order of the claim: their attempts are on. */
  readonly carried: readonly CarriedAttempt[];
  /** Shards of the run in flight, claimed ones included. */
  readonly inFlight: number;
}

/** How the end of an attempt was taken, apart from what was claimed. */
export type TakenEnd = Pick<FinishReply, "verdict" | "progress" | "seq">;

/** A shard whose attempt is on in the job of another one. */
export interface CarriedAttempt {
  readonly ref: ShardRef;
  readonly record: ShardRecord;
}

/** Values that `lua/complete_phase.lua` returns for each end. */
const REPLIED_FOR_END = 3;

/** Completes phases: one hop of a run in one step. */
export class PhaseCompletions {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Ends attempts and, if each completes its phase, commits the decision, opens phases, and claims what may run: all at
   * once. When the decision cannot be committed the attempts have ended all the same. May be repeated.
   *
   * @throws {StoreError} RUN_NOT_FOUND
   */
  async complete(runId: string, completion: PhaseCompletion): Promise<CompletionReply> {
    const { ends, carrying, claimant, nowMs, on, decision, openings } = completion;
    const [committed, claimedBy = "", inFlight, opened = "[]", carried = "[]", ...rest] = strings(
      await COMPLETE_PHASE.run(this.#redis, this.#keysOf(runId), [
        nowMs,
        claimant,
        ...commitArguments(runId, on, decision, { nowMs }),
        JSON.stringify(carrying?.phases ?? []),
        carrying?.most ?? 0,
        carrying?.pool ?? "",
        carrying?.worker ?? "",
        carrying?.lossLimit ?? 0,
        randomUUID(),
        ends.length,
        ...ends.flatMap((end) => endArguments(runId, end)),
        openings.length,
        ...openings.flatMap((opening) => openArguments(opening, claimant, nowMs)),
      ]),
    );
    const claimed = rest.slice(ends.length * REPLIED_FOR_END).map(parseClaim);
    return {
      ends: ends.map((_, i) => takenEnd(rest.slice(i * REPLIED_FOR_END, (i + 1) * REPLIED_FOR_END))),
      committed: committed === "" ? undefined : commitResult(runId, Number(committed)),
      claimant: claimedBy === "" ? undefined : claimedBy,
      claimed,
      opened: PhaseProgressSchema.array().parse(JSON.parse(opened)),
      carried: carriedAttempts(strings(JSON.parse(carried))),
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

/** @param texts id and record of each */
function carriedAttempts(texts: readonly string[]): CarriedAttempt[] {
  return texts.flatMap((id, i) => {
    const record = texts[i + 1];
    if (i % 2 === 1 || record === undefined) return [];
    return [{ ref: parseShardId(id), record: parseShard(record) }];
  });
}

function endArguments(
  runId: string,
  { ref, finish, claimant, isFinished, isCarried }: CompletingEnd,
): ScriptArgument[] {
  return [...finishArguments(runId, ref, finish, claimant), isFinished ? 1 : 0, isCarried ? 1 : 0];
}

function takenEnd([verdict, progress, seq]: readonly string[]): TakenEnd {
  return { verdict: FinishVerdictSchema.parse(verdict), progress: parseProgress(progress), seq: Number(seq) };
}
