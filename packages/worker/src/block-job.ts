import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { type RunPlan, systemClock } from "@fanfold/engine";
import { type BlockJob, BlockJobSchema, type CompiledPhase } from "@fanfold/schemas";
import {
  type BlockRef,
  type BlockReply,
  type BlockStep,
  jobIds,
  type LeavingShard,
  type ShardFinish,
  shardId,
  type StartedInBlock,
} from "@fanfold/store";
import { DelayedError, type Job, UnrecoverableError } from "bullmq";
import { recordGivenBack, recordNotBegun, recordOutcome, type StartedAttempt } from "./attempt-record.ts";
import { shareInBlock } from "./block-inputs.ts";
import { executeAttempt, type HandedOver, type SharedByBlock } from "./execute-attempt.ts";
import { OutputShipper } from "./output-shipper.ts";
import { ownScratch } from "./scratch-dirs.ts";
import type { ShardJobContext } from "./shard-job.ts";

/** A block that takes longer than this lets go of the shards it has not started, in ms. */
const PATIENCE_MS = { handler: 200, command: 400, approval: 0 };
/** A shard that takes longer than this is too slow for a block, in ms. Commands wait for each other's processor. */
const SLOW_MS = { handler: 10, command: 50, approval: 0 };
/** Work that is started at once of commands, by what one of them took, in ms: a few, which are soon given up again. */
const COMMANDS_MS = 100;
/**
 * A shard of a block lets those after it leave when it still runs after so many looks, so far apart in ms. Looks, because
 * time alone says nothing in a process that is busy.
 */
const LOOKS = 3;
const LOOK_EVERY_MS = 40;
/** How long shards run before everything else in this process has its turn, in ms. */
const BREATH_MS = 8;

type EndedShard = ShardFinish & { readonly shard: number };

/** What a block's job returns, for the queue dashboard. */
export interface BlockResult {
  /** Shards of the block that succeeded here. */
  readonly succeeded: number;
}

/** Whether a job on a pool's queue is a block. */
export function isBlock(job: Job): boolean {
  return typeof job.data === "object" && job.data !== null && "size" in job.data;
}

/**
 * Processes a block's job: the first tries of its shards, one after another, started and recorded many at a time. What
 * does not go well leaves the block: the shard gets a job of its own, before this one ends. So does the rest of a block
 * that turns out slow. Every way out of here may be cut off and repeated.
 */
export async function processBlock(context: ShardJobContext, job: Job, token: string): Promise<BlockResult> {
  return new BlockRun(context, job, token).process();
}

class BlockRun {
  readonly #context: ShardJobContext;
  readonly #job: Job;
  readonly #token: string;
  readonly #data: BlockJob;
  readonly #block: BlockRef;
  readonly #id: string;
  /** Directory for what its attempts write; made when one does. */
  #dir = "";
  /** Started shards that have not begun. */
  #pending: StartedInBlock[] = [];
  #ended: EndedShard[] = [];
  /** Time shards in `#ended` took together, in ms, and how many of them: not the first, which also gets things ready. */
  #tookMs = 0;
  #timed = 0;
  /** First shard that is not started. */
  #cursor: number;
  readonly #leaving = new Map<number, LeavingShard>();
  #succeeded = 0;
  /** Something is left of the phase, or of its run's budget, for a scheduler to decide. */
  #mustReport = false;
  #shared: SharedByBlock | undefined;
  /** What is being done for the shards after one that takes long. */
  #givingUp: Promise<void> | undefined;
  /** How long the shard that ended last took, in ms. */
  #latestMs = 0;
  /** Looks at the shard that runs. */
  #looks = 0;
  #signal: AbortSignal = NEVER;
  #isRunning = false;

  constructor(context: ShardJobContext, job: Job, token: string) {
    this.#context = context;
    this.#job = job;
    this.#token = token;
    this.#data = BlockJobSchema.parse(job.data);
    const { run_id, phase, revision, shard, size } = this.#data;
    this.#block = { phase, revision, shard, size };
    this.#id = jobIds.block(run_id, this.#block);
    this.#cursor = shard;
  }

  async process(): Promise<BlockResult> {
    const { active } = this.#context;
    const { run_id } = this.#data;
    this.#signal = active.begin(this.#id, run_id);
    const watch = setInterval(() => this.#look(), LOOK_EVERY_MS);
    try {
      return await this.#run();
    } finally {
      clearInterval(watch);
      active.end(this.#id);
      if (existsSync(this.#dir)) await rm(this.#dir, { recursive: true, force: true });
    }
  }

  async #run(): Promise<BlockResult> {
    const { engine, inputs } = this.#context;
    const { run_id } = this.#data;
    // the limit of a pool counts jobs: each shard is to be one
    const isLimited = await engine.store.pools.isLimited(this.#job.queueName);
    const [edition] = await Promise.all([engine.recall(run_id), this.#step(isLimited ? "leave" : "fit")]);
    inputs.keepOnly(run_id, edition);
    this.#dir = inputs.blockDir(run_id, this.#block, this.#job.attemptsStarted);
    const plan = await engine.plan(run_id);
    const phase = plan.graph.phase(this.#block.phase);
    this.#shared = await shareInBlock(this.#context, { runId: run_id, block: this.#block, plan: plan.plan, phase });
    const { kind } = phase.work;
    const startedAtMs = performance.now();
    while (this.#pending.length > 0) {
      await this.#runPending(plan, phase);
      await this.#givingUp;
      if (this.#cursor >= this.#behind || this.#signal.aborted) break;
      const isSlow = this.#latestMs > SLOW_MS[kind] || performance.now() - startedAtMs > PATIENCE_MS[kind];
      const next = kind === "command" ? Math.ceil(COMMANDS_MS / Math.max(1, this.#latestMs)) : "fit";
      await this.#step(isSlow ? "leave" : next);
    }
    return this.#end();
  }

  get #behind(): number {
    return this.#block.shard + this.#block.size;
  }

  /** Tells the ledger what has ended, and takes what it starts. */
  async #step(start: BlockStep["start"], claimant?: string): Promise<BlockReply> {
    const { engine, workerName } = this.#context;
    const ended = this.#ended;
    const meanMs = this.#timed === 0 ? undefined : this.#tookMs / this.#timed;
    this.#ended = [];
    this.#tookMs = 0;
    this.#timed = 0;
    const reply = await engine.store.ledger.stepBlock(this.#data.run_id, this.#block, {
      worker: workerName,
      nowMs: systemClock.nowMs(),
      ended,
      meanMs,
      from: this.#cursor,
      start,
      ...(claimant === undefined ? {} : { claimant }),
    });
    if (reply.progress === undefined) {
      throw endedJob(`the ledger of ${this.#data.run_id} does not expect block ${this.#id}`);
    }
    this.#cursor = reply.cursor;
    this.#pending.push(...reply.started);
    for (const leaving of reply.leaving) this.#leaving.set(leaving.shard, leaving);
    for (const one of ended) {
      const verdict = reply.verdicts.get(one.shard);
      if (verdict === "refused") continue;
      if (one.outcome === "succeeded" && verdict === "ok") this.#succeeded += 1;
      else this.#leaving.set(one.shard, { shard: one.shard, notBeforeMs: one.record.until_ms ?? 0 });
    }
    return reply;
  }

  /** Runs what was started, one after another. */
  async #runPending(plan: RunPlan, phase: CompiledPhase): Promise<void> {
    let breathedAtMs = performance.now();
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const beganAtMs = performance.now();
      await this.#runOne(next, plan, phase);
      const nowMs = performance.now();
      this.#latestMs = nowMs - beganAtMs;
      if (next.shard !== this.#block.shard) {
        this.#tookMs += this.#latestMs;
        this.#timed += 1;
      }
      if (nowMs - breathedAtMs > BREATH_MS) {
        await breathe();
        breathedAtMs = performance.now();
      }
    }
  }

  async #runOne({ shard, attempt, fence, record }: StartedInBlock, plan: RunPlan, phase: CompiledPhase): Promise<void> {
    const { engine, active } = this.#context;
    const { run_id: runId, shard_count: shardCount } = this.#data;
    const ref = { phase: this.#block.phase, revision: this.#block.revision, shard };
    const started: StartedAttempt = {
      runId,
      ref,
      attempt,
      fence,
      record: { ...record, started_at_ms: systemClock.nowMs() },
    };
    const jobId = jobIds.shard(runId, ref);
    const signal = active.begin(jobId, runId, this.#id);
    this.#isRunning = true;
    this.#looks = 0;
    if (this.#signal.aborted) active.abortJob(this.#id, abortReason(this.#signal));
    const { inputs } = this.#context;
    const isCommand = phase.work.kind === "command";
    const scratch = isCommand
      ? inputs.scratch.lend({ hasInput: true })
      : ownScratch(join(this.#dir, `${shard}.${attempt}`));
    const task = {
      runId,
      ref,
      shardCount,
      attempt,
      history: record.history ?? [],
      children: record.spawned ?? [],
      plan,
      phase,
      scratch,
      ...(this.#shared === undefined ? {} : { shared: this.#shared }),
    };
    const shipper = new OutputShipper(engine.store.logs, { runId, ref, attempt, job: this.#job });
    try {
      const ended = await executeAttempt(this.#context, task, shipper, { signal });
      if (signal.reason === "lock_lost" && ended.status !== "succeeded") {
        // somebody else takes it over, and those after it
        this.#pending = [];
        return;
      }
      if (ended.status === "failed" && ended.failure.error_code === "SPAWNER_LOST") {
        // nobody can say how it ended: nothing is recorded, and its own job finds it lost
        this.#leaving.set(shard, { shard, notBeforeMs: 0 });
        return;
      }
      await this.#take(started, ended, phase, signal);
    } finally {
      active.end(jobId);
      this.#isRunning = false;
      await scratch.end();
    }
  }

  /** Notes what came of a shard, for the next step. */
  async #take(started: StartedAttempt, ended: HandedOver, phase: CompiledPhase, signal: AbortSignal): Promise<void> {
    const nowMs = systemClock.nowMs();
    const isGivenBack = signal.reason === "worker_stopping" && ended.status === "cancelled";
    const finish = isGivenBack
      ? recordGivenBack(started, { ...ended }, nowMs)
      : recordOutcome(started, ended, phase.retry, nowMs).finish;
    const { shard } = started.ref;
    if (finish.outcome === "failed" || finish.costUsd > 0) this.#mustReport = true;
    if (finish.outcome === "succeeded") {
      this.#ended.push({ ...finish, shard });
      return;
    }
    // from now on it has a job of its own
    this.#ended.push({ ...finish, shard, record: { ...finish.record, own_job: true } });
    // its phase may have been cancelled by hand: the ledger knows which of those after it are to go on
    if (ended.status === "cancelled" && !this.#signal.aborted) this.#giveUpOnce();
    const why = finish.record.failure?.why ?? finish.outcome;
    await this.#job.log(`[${shard}] ${why}`).catch(() => undefined);
  }

  /** Lets go of what waits for a shard that takes long. */
  #look(): void {
    if (!this.#isRunning || this.#givingUp !== undefined || this.#signal.aborted) return;
    this.#looks += 1;
    if (this.#looks < LOOKS) return;
    this.#giveUpOnce();
  }

  #giveUpOnce(): void {
    if (this.#givingUp !== undefined || (this.#pending.length === 0 && this.#cursor >= this.#behind)) return;
    this.#givingUp = this.#giveUp();
    this.#givingUp.catch(() => undefined);
  }

  /** The shards that have not begun get jobs of their own, so that other workers can take them. */
  async #giveUp(): Promise<void> {
    const nowMs = systemClock.nowMs();
    for (const { shard, attempt, fence, record } of this.#pending.splice(0)) {
      const ref = { phase: this.#block.phase, revision: this.#block.revision, shard };
      const started = { runId: this.#data.run_id, ref, attempt, fence, record };
      const finish = recordNotBegun(started, nowMs);
      this.#ended.push({ ...finish, shard, record: { ...finish.record, own_job: true } });
    }
    await this.#step("leave");
    await this.#letLeave();
  }

  async #letLeave(): Promise<void> {
    const leaving = [...this.#leaving.values()];
    await this.#context.engine.leaveBlock(this.#data.run_id, this.#block, leaving);
    for (const { shard } of leaving) this.#leaving.delete(shard);
  }

  /** Records what is left to record, gives jobs to what leaves, and puts on the queue what may now run. */
  async #end(): Promise<BlockResult> {
    const { engine } = this.#context;
    const { run_id, phase, revision } = this.#data;
    const isCut = this.#signal.aborted && this.#cursor < this.#behind;
    if (isCut) this.#cursor = this.#behind;
    if (this.#signal.reason === "lock_lost") {
      // what was done is handed in all the same: the ledger knows whether somebody else has begun
      await this.#step("leave");
      throw lockLost();
    }
    const reply = await this.#step("leave", this.#id);
    await this.#letLeave();
    await engine.release(run_id, reply.claimed, this.#id);
    if (this.#mustReport || reply.progress === "drained" || reply.progress === "tolerable") {
      const id = jobIds.report(run_id, `${shardId(this.#block)}.${this.#job.timestamp}.b`, this.#job.attemptsStarted);
      await engine.store.queues.addSchedulerJob(id, { kind: "report", run_id, phase, revision });
    }
    if (!isCut) return { succeeded: this.#succeeded };
    // another worker goes on; not moveToWait: with a job of a priority it wakes no worker (BullMQ 6.7)
    await this.#job.moveToDelayed(systemClock.nowMs() + 1, this.#token);
    throw new DelayedError();
  }
}

const NEVER = new AbortController().signal;

function abortReason(signal: AbortSignal): "run_stopped" | "lock_lost" | "worker_stopping" {
  const { reason } = signal;
  return reason === "run_stopped" || reason === "lock_lost" ? reason : "worker_stopping";
}

function lockLost(): Error {
  return new Error("block given up: its lock is lost");
}

/** The error a job ends with: the reason alone, without our own stack, is what people see in a queue dashboard. */
function endedJob(why: string): UnrecoverableError {
  const error = new UnrecoverableError(why);
  error.stack = why;
  return error;
}
