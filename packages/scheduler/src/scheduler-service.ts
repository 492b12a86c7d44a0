import { type RunEngine, resumeRemovals } from "@fanfold/engine";
import { type SchedulerJob, SchedulerJobSchema } from "@fanfold/schemas";
import { SCHEDULER_QUEUE, StoreError } from "@fanfold/store";
import { type Job, UnrecoverableError, Worker } from "bullmq";
import type { Logger } from "pino";
import { collect, type RetentionSettings, RetentionTimer } from "./retention-timer.ts";

/** How often live runs are compared with what is queued for them, in ms. */
const SWEEP_EVERY_MS = 15_000;
/** Scheduler jobs handled at once by one process: they wait for Redis, not for the processor. */
const CONCURRENCY = 16;
/** A dead scheduler's job is taken over within 10 s. */
const LOCK_MS = 8_000;
const STALLED_CHECK_MS = 2_000;
const UNLIMITED_STALLS = 1_000_000;
/** Age of a begun removal in ms from which its process is taken for dead. */
const REMOVAL_DEAD_MS = 600_000;

/** A scheduler: starts runs, settles phases, applies failures and sweeps. Any number of them may run. */
export class SchedulerService {
  readonly #engine: RunEngine;
  readonly #log: Logger;
  readonly #retention: RetentionTimer | undefined;
  #worker: Worker | undefined;
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
    const sweep: SchedulerJob = { kind: "sweep" };
    await queues
      .queue(SCHEDULER_QUEUE)
      .upsertJobScheduler(
        "sweep",
        { every: SWEEP_EVERY_MS },
        { name: "sweep", data: sweep, opts: { removeOnComplete: { count: 10 }, removeOnFail: { count: 10 } } },
      );
    this.#worker = new Worker(SCHEDULER_QUEUE, (job: Job) => this.#process(job), {
      connection: redis,
      prefix: keys.prefix,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
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
      this.#retention?.stop();
      await this.#worker?.close();
      this.#log.info("scheduler stopped");
    })();
    return this.#stopping;
  }

  async #process(job: Job): Promise<void> {
    const data = SchedulerJobSchema.parse(job.data);
    if ("run_id" in data && (await this.#engine.recall(data.run_id)) === undefined) {
      return this.#log.debug({ run_id: data.run_id, job: job.name }, "job of a run that was removed");
    }
    try {
      // its first handler died or failed: what it had committed and not carried out is in the outbox
      if (job.attemptsStarted > 1 && "run_id" in data) await this.#engine.sweep(data.run_id);
      await this.#dispatch(data);
    } catch (error) {
      const isNotFound = error instanceof StoreError && error.code === "RUN_NOT_FOUND";
      if (isNotFound && "run_id" in data && (await this.#engine.recall(data.run_id)) === undefined) return;
      if (isNotFound) throw new UnrecoverableError(error.message);
      throw error;
    }
  }

  async #dispatch(data: SchedulerJob): Promise<void> {
    switch (data.kind) {
      case "start":
        return this.#engine.start(data.run_id);
      case "settle":
        return this.#engine.settle(data.run_id, { phase: data.phase, revision: data.revision });
      case "report":
        return this.#engine.report(data.run_id, { phase: data.phase, revision: data.revision });
      case "timeout":
        return this.#engine.timeOut(data.run_id, data.at_ms);
      case "open":
        return this.#engine.open(data.run_id, { phase: data.phase, revision: data.revision });
      case "lock_timeout":
        return this.#engine.lockTimedOut(data.run_id, { phase: data.phase, revision: data.revision });
      case "collect":
        return collect(this.#engine, this.#log, data, this.#retention?.onRemoved);
      case "sweep":
        return this.#sweep();
    }
  }

  async #sweep(): Promise<void> {
    await this.#engine.sweepLocks();
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
