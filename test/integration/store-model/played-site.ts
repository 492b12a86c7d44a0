import { DEFAULT_INFRA_LIMIT, phaseProgress } from "@fanfold/core";
import { artifactOf, EngineError, type RunEngine } from "@fanfold/engine";
import type { PhaseProgress, ShardRecord, StartVerdict } from "@fanfold/schemas";
import {
  jobIds,
  parseShardId,
  type ShardFinish,
  shardId,
  type ShardRef,
  type StartReply,
  type Store,
} from "@fanfold/store";
import { compile } from "@fanfold/testkit";
import { PLAN } from "./plan.ts";

/** How an attempt ends. `killed`: because of a stop. */
export type Ending = "succeeded" | "failed" | "given_back" | "killed";

/** How often a retry in the queue that is stopped again at once is taken up, as in a worker. */
const REOPEN_TRIES = 5;

/** A start as a worker asks for it. */
export interface PlayedStart {
  readonly worker: string;
  /** Starts of the shard's job that no stall caused. */
  readonly starts: number;
}

/** How a worker goes about the end of an attempt. */
export interface PlayedEnd {
  /** It dies once the ledger knows. */
  readonly dies: boolean;
  /** Its job goes on with the next shard. */
  readonly goesOn: boolean;
  /** Shard whose job carries this one. */
  readonly carrier?: string | undefined;
}

/** What the ledger made of an end, and the shard that the job has gone on with. */
export interface PlayedReply {
  readonly verdict: string;
  readonly next?: { readonly id: string; readonly attempt: PlayedAttempt };
}

/** An attempt that was started. */
export interface PlayedAttempt {
  readonly attempt: number;
  readonly fence: number;
  readonly record: ShardRecord;
}

/**
 * Does to store and engine what workers and schedulers do, one thing after another, so that what happens is
 * nobody's choice but the test's. No job on a queue is ever taken.
 */
export class PlayedSite {
  readonly store: Store;
  readonly engine: RunEngine;
  /** `<run>/<phase>` of which a worker has told the scheduler. */
  readonly #reports = new Set<string>();
  #nowMs = 1_000_000;

  constructor(store: Store, engine: RunEngine) {
    this.store = store;
    this.engine = engine;
  }

  /** A time that moves on with each look at it, Unix ms. */
  nowMs(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }

  async submit(runId: string): Promise<void> {
    await this.engine.submit(compile(PLAN), runId);
    await this.engine.start(runId);
  }

  /** What a worker does with a shard's job until the attempt runs. */
  async start(
    runId: string,
    id: string,
    start: PlayedStart,
  ): Promise<{ verdict: StartVerdict; attempt: PlayedAttempt | undefined }> {
    const ref = parseShardId(id);
    let reply = await this.#start(runId, ref, start, false);
    if (reply.verdict === "reopen") reply = await this.#reopen(runId, ref, start);
    if (reply.verdict === "done" || reply.verdict === "ended") await this.#afterwards(runId, ref, reply);
    if (reply.verdict === "no_slot") {
      const claimant = jobIds.shard(runId, ref);
      await this.engine.release(runId, await this.store.ledger.claim(runId, claimant, ref), claimant);
    }
    return { verdict: reply.verdict, attempt: reply.verdict === "run" ? attemptOf(reply.record) : undefined };
  }

  #start(runId: string, ref: ShardRef, { worker, starts }: PlayedStart, reopened: boolean): Promise<StartReply> {
    const start = { worker, nowMs: this.nowMs(), starts, reopened, lossLimit: DEFAULT_INFRA_LIMIT };
    return this.store.ledger.startShard(runId, ref, start);
  }

  async #reopen(runId: string, ref: ShardRef, start: PlayedStart): Promise<StartReply> {
    for (let i = 0; i < REOPEN_TRIES; i += 1) {
      await this.engine.reopen(runId, ref.phase, "queue");
      const reply = await this.#start(runId, ref, start, true);
      if (reply.verdict === "ended" || reply.verdict === "reopen") continue;
      await this.engine.reopen(runId, ref.phase, "queue");
      return reply;
    }
    throw new Error(`${jobIds.shard(runId, ref)} was stopped again each time it was retried`);
  }

  async #afterwards(runId: string, ref: ShardRef, { verdict, progress }: StartReply): Promise<void> {
    const claimant = jobIds.shard(runId, ref);
    await this.engine.takeOver(runId, claimant);
    await this.engine.keys.wakeForPhase(runId, ref.phase, claimant);
    if (verdict === "ended" || isForScheduler(progress)) this.#reports.add(`${runId}/${ref.phase}`);
  }

  /** What a worker does at the end of an attempt. One that dies does nothing after the ledger knows. */
  async finish(runId: string, id: string, finish: ShardFinish, end: PlayedEnd): Promise<PlayedReply> {
    const ref = parseShardId(id);
    const isCarried = end.carrier !== undefined && finish.outcome === "succeeded";
    const claimant = jobIds.shard(runId, isCarried ? parseShardId(end.carrier) : ref);
    const isGoingOn = end.goesOn && finish.outcome === "succeeded";
    const carrier = isGoingOn ? { worker: "w", pool: "of-no-job", lossLimit: DEFAULT_INFRA_LIMIT } : undefined;
    const reply = await this.store.ledger.finishShard(runId, ref, finish, { claimant, isCarried, carrier });
    const { verdict, claimed, carried: record } = reply;
    const nextRef = claimed.find(({ carried }) => carried);
    const isOn = record !== undefined && nextRef !== undefined;
    const next = isOn ? { next: { id: shardId(nextRef), attempt: attemptOf(record) } } : {};
    if (verdict === "refused" || end.dies) return { verdict, ...next };
    const others = claimed.filter(({ carried }) => !carried);
    await this.engine.release(runId, others, claimant);
    await this.engine.keys.wakeForPhase(runId, ref.phase, claimant);
    if (end.carrier !== undefined && !isCarried) {
      await this.store.queues.restoreShard(await this.engine.flowPhase(runId, ref), ref);
      await this.takeOver(runId, end.carrier);
    }
    if (finish.outcome === "failed" || isForScheduler(reply.progress)) this.#reports.add(`${runId}/${ref.phase}`);
    return { verdict, ...next };
  }

  /** Another worker gets the job of a shard, which is done: what the job carried gets one of its own. */
  takeOver(runId: string, carrier: string): Promise<void> {
    return this.engine.takeOver(runId, jobIds.shard(runId, parseShardId(carrier)));
  }

  /** What schedulers and aggregates do when their jobs come: reports, folds, settling. */
  async tend(runId: string): Promise<void> {
    for (const report of Array.from(this.#reports)) {
      const [of, phase = ""] = report.split("/");
      if (of !== runId) continue;
      this.#reports.delete(report);
      await this.engine.report(runId, { phase, revision: 1 });
    }
    for (const [phase, counts] of await this.store.ledger.loadPhases(runId)) {
      if ((await this.store.runs.loadPhases(runId)).get(phase)?.status !== "running") continue;
      if (phaseProgress(counts, false) !== "complete") continue;
      const ref = { phase, revision: counts.revision };
      await this.store.ledger.recordFold(runId, ref, { artifacts: [artifactOf(phase, { inline: phase })] });
      await this.engine.settle(runId, ref);
    }
  }

  async sweep(runIds: readonly string[]): Promise<void> {
    await this.engine.sweepShared();
    const live = new Set(await this.store.runs.listLive());
    for (const runId of runIds) if (live.has(runId)) await this.engine.sweep(runId);
  }
}

/** Does what somebody asks for. @returns false when the engine refuses it */
export async function unlessRefused(action: Promise<unknown>): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

function isForScheduler(progress: PhaseProgress | undefined): boolean {
  return progress === "drained" || progress === "tolerable";
}

function attemptOf(record: ShardRecord | undefined): PlayedAttempt {
  if (record?.attempt === undefined || record.fence === undefined) throw new Error("started without an attempt");
  return { record, attempt: record.attempt, fence: record.fence };
}

/** What a worker tells the ledger at the end of an attempt. */
export function finishOf({ attempt, fence, record }: PlayedAttempt, ending: Ending, nowMs: number): ShardFinish {
  const tries = (record.tries ?? 0) + (ending === "failed" ? 1 : 0);
  const failure = { error_code: "EXIT", why: "it failed" };
  const common = { attempt, fence, nowMs, costUsd: 0 };
  const { until_ms: _until, failure: _failure, ...kept } = record;
  const ended = { ...kept, tries, finished_at_ms: nowMs };
  const data = { duration_ms: 1 };
  switch (ending) {
    case "succeeded": {
      const result = { output: { inline: "x" } };
      const events = [["shard_succeeded", { ...data, output_bytes: 1, revision: 1 }]] as const;
      return { ...common, outcome: "succeeded", record: { ...ended, status: "succeeded", result }, events };
    }
    case "failed": {
      const isLast = tries > 1;
      const status = isLast ? "failed" : "backoff";
      const events = [[isLast ? "shard_failed" : "shard_retry", { ...failure, ...data }]] as const;
      const until = isLast ? {} : { until_ms: nowMs + 1 };
      return { ...common, outcome: status, record: { ...ended, ...until, status, failure }, events };
    }
    case "given_back": {
      const events = [["shard_given_back", { ...data, worker: record.worker ?? "" }]] as const;
      return { ...common, outcome: "given_back", record: { ...ended, status: "released" }, events };
    }
    case "killed": {
      const events = [["shard_cancelled", { ...data, reason: "run stopped" }]] as const;
      return { ...common, outcome: "cancelled", record: { ...ended, status: "cancelled" }, events };
    }
  }
}
