import { type RunEngine, resumeRemovals, systemClock } from "@fanfold/engine";
import { type SchedulerJob, SchedulerJobSchema } from "@fanfold/schemas";
import { JOB_LOCK, SCHEDULER_QUEUE, StoreError } from "@fanfold/store";
import { DelayedError, type Job, UnrecoverableError, WaitingChildrenError, Worker } from "bullmq";
import type { Logger } from "pino";
import { collect, type RetentionSettings, RetentionTimer } from "./retention-timer.ts";

/** How often live runs are compared with what is queued for them, in ms. */
const SWEEP_EVERY_MS = 15_000;
/** Scheduler jobs handled at once by one process: they wait for Redis, not for the processor. */
const CONCURRENCY = 16;
const UNLIMITED_STALLS = 1_000_000;
/** Wait before a settle job that came too early is looked at again, when nothing is left to wait for, in ms. */
const LOOK_AGAIN_MS = 1_000;

/** A scheduler's job about a phase. */
type PhaseJob = Extract<SchedulerJob, { phase: string }>;
/** Age of a begun removal in ms from which its process is taken for dead. */
const REMOVAL_DEAD_MS = 600_000;

/** A scheduler: starts runs, settles phases, applies failures and sweeps. Any number of them may run. */
export class SchedulerService {
  readonly #engine: RunEngine;
  readonly #log: Logger;
  readonly #retention: RetentionTimer | undefined;
  #worker: Worker | undefined;
  #sweepCheck: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  /** @param retention what is kept of the runs that are over; everything when missing */
  constructor(engine: RunEngine, log: Logger, retention?: RetentionSettings) {
    this.#engine = engine;
    this.#log = log;
    if (retention !== undefined) this.#retention = new RetentionTimer(engine, log, retention);
  }

  /** Begins to take jobs. */
  async start(): Promise<void> {
    if (this.#worker !== undefined) return;
    const { redis, keys, queues } = this.#engine.store;
    await queues.ensureSweep(SWEEP_EVERY_MS);
    this.#sweepCheck = setInterval(() => void this.#ensureSweep(), SWEEP_EVERY_MS);
    this.#worker = new Worker(SCHEDULER_QUEUE, (job: Job, token?: string) => this.#process(job, token ?? ""), {
      connection: redis,
      prefix: keys.prefix,
      concurrency: CONCURRENCY,
      lockDuration: JOB_LOCK.lockMs,
      lockRenewTime: JOB_LOCK.renewMs,
      stalledInterval: JOB_LOCK.stalledCheckMs,
      maxStalledCount: UNLIMITED_STALLS,
    });
    this.#worker.on("error", (err) => this.#log.debug({ err }, "queue connection trouble"));
    this.#worker.on("failed", (job, err) =>
      this.#log.error({ err, job: job?.name, job_id: job?.id }, "scheduler job failed"),
    );
    await this.#worker.waitUntilReady();
    await this.#retention?.start();
    this.#log.info("scheduler ready");
  }

  /** Takes nothing new and finishes what it has begun. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      clearInterval(this.#sweepCheck);
      this.#retention?.stop();
      await this.#worker?.close();
      this.#log.info("scheduler stopped");
    })();
    return this.#stopping;
  }

  /** The sweep repairs what was removed by hand; nothing else would repair the sweep. */
  async #ensureSweep(): Promise<void> {
    try {
      await this.#engine.store.queues.ensureSweep(SWEEP_EVERY_MS);
    } catch (err) {
      this.#log.debug({ err }, "could not look whether the sweep is there");
    }
  }

  async #process(job: Job, token: string): Promise<void> {
    const data = SchedulerJobSchema.parse(job.data);
    if ("run_id" in data && (await this.#engine.recall(data.run_id)) === undefined) {
      return this.#log.debug({ run_id: data.run_id, job: job.name }, "job of a run that was removed");
    }
    try {
      // its first handler died or failed: what it had committed and not carried out is in the outbox
      if (job.attemptsStarted > 1 && "run_id" in data) await this.#engine.sweep(data.run_id);
      if (data.kind === "settle" && (await this.#engine.isUnsettled(data.run_id, data))) {
        return await this.#waitAgain(data, job, token);
      }
      await this.#dispatch(data);
    } catch (error) {
      const isNotFound = error instanceof StoreError && error.code === "RUN_NOT_FOUND";
      if (isNotFound && "run_id" in data && (await this.#engine.recall(data.run_id)) === undefined) return;
      if (isNotFound) throw new UnrecoverableError(error.message);
      throw error;
    }
  }

  /** Somebody removed what the phase waited for: it is put back, and waited for again. */
  async #waitAgain({ run_id, phase, revision }: PhaseJob, job: Job, token: string): Promise<never> {
    await this.#engine.restoreFlow(run_id, { phase, revision }, "jobs it waited for were removed");
    if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    await job.moveToDelayed(systemClock.nowMs() + LOOK_AGAIN_MS, token);
    throw new DelayedError();
  }

  async #dispatch(data: SchedulerJob): Promise<void> {
    switch (data.kind) {
      case "start":
        return this.#engine.start(data.run_id);
      case "settle":
        return this.#engine.settle(data.run_id, { phase: data.phase, revision: data.revision });
      case "report":
        return this.#engine.report(data.run_id, { phase: data.phase, revision: data.revision });
      case "spawn":
        return this.#engine.carrySpawner(data.run_id, {
          phase: data.phase,
          revision: data.revision,
          shard: data.shard,
        });
      case "timeout":
        return this.#engine.timeOut(data.run_id, data.at_ms);
      case "open":
        return this.#engine.open(data.run_id, { phase: data.phase, revision: data.revision });
      case "lock_timeout":
        return this.#engine.lockTimedOut(data.run_id, { phase: data.phase, revision: data.revision });
      case "approval_timeout": {
        const { phase, revision, at_ms: atMs } = data;
        return this.#engine.approvalTimedOut(data.run_id, { phase, revision, atMs });
      }
      case "collect":
        return collect(this.#engine, this.#log, data, this.#retention?.onRemoved);
      case "sweep":
        return this.#sweep();
    }
  }

  async #sweep(): Promise<void> {
    await this.#engine.sweepShared();
    const resumed = await resumeRemovals(this.#engine, REMOVAL_DEAD_MS);
    if (resumed.length > 0) this.#log.info({ run_ids: resumed }, "finished the removal of runs");
    for (const runId of await this.#engine.store.runs.listLive()) {
      try {
        await this.#engine.sweep(runId);
      } catch (err) {
        this.#log.warn({ err, run_id: runId }, "sweep of a run failed; the next one tries again");
      }
    }
  }
}
