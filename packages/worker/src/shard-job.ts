import { DEFAULT_INFRA_LIMIT } from "@fanfold/core";
import { type RunEngine, SPAWN_RECHECK_MS, systemClock } from "@fanfold/engine";
import { type ShardJob, ShardJobSchema } from "@fanfold/schemas";
import { isDirect, jobIds, type ShardFinish, type ShardRef, shardId, type StartReply } from "@fanfold/store";
import { DelayedError, type Job, UnrecoverableError } from "bullmq";
import type { ActiveAttempts } from "./active-attempts.ts";
import type { StartedAttempt } from "./attempt-record.ts";
import { carrierOf, type CarryingJob, carryOn, mustReport, report } from "./carry-on.ts";
import type { AttemptPlace } from "./execute-attempt.ts";
import { AttemptLost, runStarted } from "./run-started.ts";

/** Longest time a shard waits for a slot before it asks again by itself, in ms; a free slot wakes it at once. */
const SLOT_RECHECK_MS = 30_000;
/** The same until it is known to be in line for a slot, in ms: whoever gets it there may die. */
const IN_LINE_MS = 2_000;
/** How often a shard retried by hand asks whether its phase has its lock again, in ms. */
const LOCK_RECHECK_MS = 2_000;

/** How often a retry by hand that is stopped again in the same moment is taken up. */
const REOPEN_TRIES = 5;

/** What a shard job needs of its worker. */
export interface ShardJobContext extends AttemptPlace {
  readonly engine: RunEngine;
  readonly active: ActiveAttempts;
  /** Name under which attempts are recorded. */
  readonly workerName: string;
}

/**
 * Processes a shard's job: asks the ledger, runs one attempt, records what came of it, and puts on the queue
 * what may now run. The ledger alone decides on retries and the end; the job only follows. Every way out of
 * here may be cut off and repeated: the ledger knows what was recorded, and repeats the claim.
 *
 * @returns a small value for the queue dashboard
 */
export async function processShard(context: ShardJobContext, job: Job, token: string): Promise<{ attempt: number }> {
  const run = new ShardRun(context, job, token);
  try {
    return await run.process();
  } catch (error) {
    if (error instanceof AttemptLost) return await run.repeatLost();
    throw error;
  }
}

class ShardRun {
  readonly #context: ShardJobContext;
  readonly #job: Job;
  readonly #token: string;
  readonly #data: ShardJob;
  readonly #ref: ShardRef;
  readonly #startedAtMs = systemClock.nowMs();
  #isRetriedByHand = false;

  constructor(context: ShardJobContext, job: Job, token: string) {
    this.#context = context;
    this.#job = job;
    this.#token = token;
    this.#data = ShardJobSchema.parse(job.data);
    const { phase, revision, shard } = this.#data;
    this.#ref = { phase, revision, shard };
  }

  async process(): Promise<{ attempt: number }> {
    let reply = await this.#start(false);
    if (reply.verdict === "reopen") reply = await this.#reopen();
    switch (reply.verdict) {
      case "run":
        return this.#run(started(this.#data.run_id, this.#ref, reply));
      case "done":
        await this.#afterwards(reply.progress);
        return { attempt: 0 };
      case "no_slot":
        return this.#waitForSlot();
      case "spawned":
        return this.#waitForChildren(reply);
      case "ended":
        await this.#afterwards(reply.progress, true);
        throw endedJob(whyEnded(reply));
      case "reopen":
      case "unknown":
        throw endedJob(`the ledger of ${this.#data.run_id} does not expect ${shardId(this.#ref)}`);
    }
  }

  async #start(reopened: boolean): Promise<StartReply> {
    const { engine, inputs, workerName } = this.#context;
    const starts = this.#job.attemptsStarted - this.#job.stalledCounter;
    const start = { worker: workerName, nowMs: systemClock.nowMs(), starts, reopened, lossLimit: DEFAULT_INFRA_LIMIT };
    const [reply, edition] = await Promise.all([
      engine.store.ledger.startShard(this.#data.run_id, this.#ref, start),
      engine.recall(this.#data.run_id),
    ]);
    inputs.keepOnly(this.#data.run_id, edition);
    return reply;
  }

  /** Somebody retried the job by hand: the run carries on. */
  async #reopen(): Promise<StartReply> {
    this.#isRetriedByHand = true;
    await this.#refuseImpossibleRetry();
    for (let i = 0; i < REOPEN_TRIES; i += 1) {
      await this.#reopenPhase();
      if (!(await this.#context.engine.holdsLock(this.#data.run_id, this.#ref))) return this.#waitForLock();
      const reply = await this.#start(true);
      // a late word of an earlier failure may have stopped the run again in between
      if (reply.verdict === "ended" || reply.verdict === "reopen") continue;
      await this.#reopenPhase();
      return reply;
    }
    throw new Error(`${shardId(this.#ref)} was stopped again each time it was retried`);
  }

  #reopenPhase(): Promise<void> {
    const { engine } = this.#context;
    const { run_id } = this.#data;
    return engine.store.queues.onBehalfOf(jobIds.shard(run_id, this.#ref), () =>
      engine.reopen(run_id, this.#ref.phase, "queue"),
    );
  }

  async #refuseImpossibleRetry(): Promise<void> {
    const { store } = this.#context.engine;
    const { run_id, phase, revision } = this.#data;
    const { stop } = await store.runs.get(run_id);
    if (stop === "cancel") throw endedJob(`run ${run_id} was cancelled; submit its plan again`);
    const record = (await store.runs.loadPhases(run_id)).get(phase);
    if (record?.status !== "succeeded" || record.revision < revision) return;
    throw endedJob(`phase ${phase} has succeeded without this shard, which it tolerates`);
  }

  /** The phase was re-opened, but another run holds its lock: the shard asks again a little later. */
  async #waitForLock(): Promise<never> {
    await this.#job.moveToDelayed(systemClock.nowMs() + LOCK_RECHECK_MS, this.#token);
    throw new DelayedError();
  }

  async #run(attempt: StartedAttempt): Promise<{ attempt: number }> {
    const { finish, retryAfterMs } = await runStarted(this.#context, attempt, {
      job: this.#job,
      shardCount: this.#data.shard_count,
    });
    return this.#finish(attempt, finish, retryAfterMs);
  }

  /** Nothing is recorded, as if the worker had died: whoever takes the job next finds the attempt lost. */
  async repeatLost(): Promise<never> {
    await this.#job.moveToDelayed(systemClock.nowMs() + 1, this.#token);
    throw new DelayedError();
  }

  async #finish(
    { attempt }: StartedAttempt,
    finish: ShardFinish,
    retryAfterMs: number | undefined,
  ): Promise<{ attempt: number }> {
    const { engine } = this.#context;
    const carrying = await this.#carryingJob();
    const { runId, id: claimant } = carrying;
    const carrier = carrierOf(this.#context, carrying);
    const end = { runId, ref: this.#ref, finish, claimant, isCarried: false, carrier };
    const { finished: reply, next } = await engine.endAttempt(end);
    if (reply.verdict === "refused") throw endedJob("late result refused: another attempt has taken over");
    await engine.keys.wakeForPhase(runId, this.#ref.phase, claimant);
    if (mustReport(finish, reply)) await report(this.#context, carrying, this.#ref);
    if (next !== undefined) await carryOn(this.#context, carrying, next);
    if (finish.outcome === "succeeded") return { attempt };
    if (finish.outcome === "spawned" && reply.verdict === "ok") return this.#delayForChildren();
    if (finish.outcome === "given_back" && reply.verdict === "ok") {
      // not moveToWait: with a job of a priority it wakes no worker (BullMQ 6.7)
      await this.#job.moveToDelayed(systemClock.nowMs() + 1, this.#token);
      throw new DelayedError();
    }
    if (retryAfterMs !== undefined && reply.verdict === "ok") {
      await this.#job.moveToDelayed(systemClock.nowMs() + Math.max(1, retryAfterMs), this.#token);
      throw new DelayedError();
    }
    throw endedJob(finish.record.failure?.why ?? "cancelled: the run was stopped");
  }

  async #carryingJob(): Promise<CarryingJob> {
    const { run_id: runId, phase, shard_count: shardCount } = this.#data;
    const { pool } = (await this.#context.engine.plan(runId)).graph.phase(phase);
    const id = jobIds.shard(runId, this.#ref);
    return { job: this.#job, id, runId, pool, shardCount, startedAtMs: this.#startedAtMs };
  }

  async #isDirect(): Promise<boolean> {
    const { graph } = await this.#context.engine.plan(this.#data.run_id);
    return graph.has(this.#ref.phase) && isDirect(graph.phase(this.#ref.phase));
  }

  /** What a repeated job still owes: its claim, and its report. */
  async #afterwards(progress: StartReply["progress"], hasFailed = false): Promise<void> {
    const { engine } = this.#context;
    const { run_id } = this.#data;
    const claimant = jobIds.shard(run_id, this.#ref);
    await engine.takeOver(run_id, claimant);
    await engine.keys.wakeForPhase(run_id, this.#ref.phase, claimant);
    if (hasFailed || progress === "drained" || progress === "tolerable")
      await report(this.#context, { job: this.#job, runId: run_id }, this.#ref);
    if (progress === "complete" && (await this.#isDirect())) await this.#askToSettle();
  }

  /** The phase is complete, and whoever completed it may have died before it was settled. */
  async #askToSettle(): Promise<void> {
    const { run_id, phase, revision } = this.#data;
    const { runs, queues } = this.#context.engine.store;
    const record = (await runs.findPhases(run_id, [phase])).get(phase);
    if (record === undefined || record.revision >= revision) return;
    const id = jobIds.settle(run_id, phase, revision);
    await queues.addSchedulerJob(id, { kind: "settle", run_id, phase, revision });
  }

  /** Gives the worker back until a slot is free for this shard. */
  async #waitForSlot(): Promise<never> {
    const { engine } = this.#context;
    const { run_id } = this.#data;
    const claimant = jobIds.shard(run_id, this.#ref);
    await this.#job.moveToDelayed(systemClock.nowMs() + IN_LINE_MS, this.#token);
    const claimed = await engine.store.ledger.claim(run_id, claimant, this.#ref);
    await engine.release(run_id, claimed, claimant);
    // not when it has got a slot by now
    await this.#job.changeDelay(SLOT_RECHECK_MS).catch(() => undefined);
    throw new DelayedError();
  }

  /** The shard spawned phases, before or just now: whoever retried its job by hand means those that failed. */
  async #waitForChildren({ progress }: StartReply): Promise<never> {
    const { engine } = this.#context;
    const { run_id, phase, revision, shard } = this.#data;
    if (this.#isRetriedByHand) await engine.retryChildren(run_id, { phase, revision, shards: [shard], actor: "queue" });
    await this.#afterwards(progress);
    return this.#delayForChildren();
  }

  /** Gives the worker back until the phases are over that the shard spawned. */
  async #delayForChildren(): Promise<never> {
    await this.#context.engine.askForSpawner(this.#data.run_id, this.#ref);
    await this.#job.moveToDelayed(systemClock.nowMs() + SPAWN_RECHECK_MS, this.#token);
    throw new DelayedError();
  }
}

/** The error a job ends with: the reason alone, without our own stack, is what people see in a queue dashboard. */
function endedJob(why: string): UnrecoverableError {
  const error = new UnrecoverableError(why);
  error.stack = why;
  return error;
}

function started(runId: string, ref: ShardRef, { record }: StartReply): StartedAttempt {
  if (record?.attempt === undefined || record.fence === undefined) {
    throw new Error(`the ledger started ${shardId(ref)} without an attempt`);
  }
  return { runId, ref, record, attempt: record.attempt, fence: record.fence };
}

function whyEnded({ record }: StartReply): string {
  if (record?.failure !== undefined) return record.failure.why;
  return record?.status === "cancelled" ? "not run: the run was stopped" : "ended before";
}
