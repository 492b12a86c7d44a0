import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { RunEngine } from "@fanfold/engine";
import { AGGREGATE_QUEUE, JOB_LOCK, shardQueue, TELL_FACTS_EVERY_MS } from "@fanfold/store";
import { type Job, Worker } from "bullmq";
import type { Logger } from "pino";
import { ActiveAttempts } from "./active-attempts.ts";
import { processAggregate } from "./aggregate-job.ts";
import { isBlock, processBlock } from "./block-job.ts";
import { killProcessGroups } from "./attempt/process-group.ts";
import { settlesWithin } from "./attempt/settles-within.ts";
import { NO_RULES, type WorkerRules } from "./attempt/worker-rules.ts";
import { HandlerPaces } from "./handler-paces.ts";
import { processShard, type ShardJobContext } from "./shard-job.ts";
import { ShardInputs } from "./shard-inputs.ts";
import { StandstillWatch } from "./standstill-watch.ts";

/** Lost workers are counted by the ledger; BullMQ's own lifetime count must never decide. */
const UNLIMITED_STALLS = 1_000_000;
/** How long a worker that a pool's rate holds back waits before it looks again, in ms: the rate may have been changed. */
const RATE_RECHECK_MS = 1_000;
/** How often the runs of running attempts are asked whether they were stopped, in ms. */
const STOP_CHECK_MS = 2_000;
/** Aggregates folded at once by one worker: they stream, and share one disk. */
const AGGREGATE_CONCURRENCY = 2;

/** How a worker is set up. */
export interface WorkerSettings {
  readonly pools: readonly string[];
  /** Shards executed at once by this worker, a pool. */
  readonly concurrency: number;
  /** Directory in which the plans' own paths are resolved. */
  readonly workspaceDir: string;
  /** Directory for the files of running attempts; emptied when the worker stops. */
  readonly scratchDir: string;
  /** What it allows to plans; everything when absent. */
  readonly rules?: WorkerRules;
  /** Name in journals and lists; `<host>:<pid>` when absent. */
  readonly name?: string;
  /** Time to finish when somebody asks it to stop through Redis, in ms; all the time it takes when absent. */
  readonly drainMs?: number;
}

/** A worker: runs the shards of its pools, and folds outputs. */
export class WorkerService {
  readonly name: string;
  readonly #engine: RunEngine;
  readonly #settings: WorkerSettings;
  readonly #log: Logger;
  readonly #active = new ActiveAttempts();
  readonly #paces = new HandlerPaces();
  readonly #inputs: ShardInputs;
  readonly #watch: StandstillWatch;
  #workers: Worker[] = [];
  #unsubscribe: (() => void) | undefined;
  #stopCheck: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;
  #startedAtMs = Number.POSITIVE_INFINITY;
  #tellDraining: () => void = () => undefined;
  /** Resolves when somebody has asked this worker through Redis to stop, which it then does. */
  readonly draining = new Promise<void>((tell) => {
    this.#tellDraining = tell;
  });

  constructor(engine: RunEngine, settings: WorkerSettings, log: Logger) {
    this.name = settings.name ?? `${hostname()}:${process.pid}`;
    this.#engine = engine;
    this.#settings = settings;
    this.#log = log.child({ worker: this.name });
    const own = join(resolve(settings.scratchDir), `${process.pid}-${Date.now().toString(36)}`);
    this.#inputs = new ShardInputs(engine.store, own);
    this.#watch = new StandstillWatch(JOB_LOCK.lockMs, (standstill_ms) => {
      this.#log.warn({ standstill_ms }, "this worker stood still and has lost its locks: ending its attempts");
      this.#active.abortCurrent("lock_lost");
    });
  }

  /** Begins to take jobs. */
  async start(): Promise<void> {
    if (this.#workers.length > 0) return;
    const { store } = this.#engine;
    await mkdir(this.#settings.scratchDir, { recursive: true });
    this.#startedAtMs = await store.drains.nowMs();
    this.#unsubscribe = await store.signals.listen({
      onStop: (runId) => void this.#checkRun(runId),
      onDrain: (worker) => void (worker === this.name && this.#checkDrain()),
    });
    this.#stopCheck = setInterval(() => void Promise.all([this.#checkRuns(), this.#checkDrain()]), STOP_CHECK_MS);
    await this.#tellFacts();
    this.#telling = setInterval(() => void this.#tellFacts(), TELL_FACTS_EVERY_MS);
    this.#watch.start(JOB_LOCK.renewMs);
    this.#workers = [
      ...this.#settings.pools.map((pool) => this.#open(shardQueue(pool), this.#settings.concurrency, this.#shards())),
      this.#open(AGGREGATE_QUEUE, AGGREGATE_CONCURRENCY, (job, token) => processAggregate(this.#context(), job, token)),
    ];
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
    const { pools, concurrency, rules = NO_RULES } = this.#settings;
    const { allowedCommands: allowed_commands, handlersDir: handlers_dir, passedEnv: passed_env } = rules;
    this.#log.info({ pools, concurrency, allowed_commands, handlers_dir, passed_env }, "worker ready");
  }

  /**
   * Takes nothing new, lets what runs finish, and leaves nothing behind.
   *
   * @param drainMs time to finish, in ms; then what still runs is ended and given back, which counts as no attempt.
   *   Without it, what runs has all the time it takes.
   */
  stop({ drainMs }: { drainMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  /** Kills what runs now, without a grace, and gives it back: `stop` resolves soon. */
  abort(): void {
    this.#active.abortAll("worker_stopping");
    killProcessGroups();
  }

  async #stop(drainMs: number | undefined): Promise<void> {
    this.#active.close();
    const closed = Promise.all(this.#workers.map((worker) => worker.close()));
    if (drainMs !== undefined && !(await settlesWithin(closed, drainMs))) {
      this.#log.info({ drain_ms: drainMs }, "the time to finish is over: ending what runs and giving it back");
      this.#active.abortAll("worker_stopping");
    }
    await closed;
    clearInterval(this.#stopCheck);
    clearInterval(this.#telling);
    this.#watch.stop();
    this.#unsubscribe?.();
    await this.#inputs.dispose();
    this.#log.info("worker stopped");
  }

  #shards(): (job: Job, token: string) => Promise<unknown> {
    const context = this.#context();
    return (job, token) => (isBlock(job) ? processBlock(context, job, token) : processShard(context, job, token));
  }

  #context(): ShardJobContext {
    return {
      engine: this.#engine,
      store: this.#engine.store,
      inputs: this.#inputs,
      active: this.#active,
      paces: this.#paces,
      watch: this.#watch,
      workspaceDir: resolve(this.#settings.workspaceDir),
      rules: this.#settings.rules ?? NO_RULES,
      workerName: this.name,
    };
  }

  #open(queue: string, concurrency: number, process: (job: Job, token: string) => Promise<unknown>): Worker {
    const { redis, keys } = this.#engine.store;
    const worker = new Worker(queue, (job: Job, token?: string) => process(job, token ?? ""), {
      connection: redis,
      prefix: keys.prefix,
      name: this.name,
      concurrency,
      lockDuration: JOB_LOCK.lockMs,
      lockRenewTime: JOB_LOCK.renewMs,
      stalledInterval: JOB_LOCK.stalledCheckMs,
      maxStalledCount: UNLIMITED_STALLS,
      maximumRateLimitDelay: RATE_RECHECK_MS,
    });
    worker.on("error", (err) => this.#log.debug({ err, queue }, "queue connection trouble"));
    worker.on("failed", (job, err) =>
      this.#log.info({ job: job?.name, job_id: job?.id, why: err.message }, "job failed"),
    );
    worker.on("lockRenewalFailed", (jobIds) => {
      this.#log.warn({ job_ids: jobIds }, "locks lost: ending their attempts");
      for (const id of jobIds) this.#active.abortJob(id, "lock_lost");
    });
    return worker;
  }

  /** Says for people who look at the workers what this one runs at once. */
  async #tellFacts(): Promise<void> {
    try {
      await this.#engine.store.workerFacts.tell(this.name, this.#settings.concurrency);
    } catch (err) {
      this.#log.debug({ err }, "could not tell how many shards this worker runs at once");
    }
  }

  /** Stops when somebody has asked for it since the start; a request before was for another worker of the name. */
  async #checkDrain(): Promise<void> {
    if (this.#stopping !== undefined) return;
    try {
      const [askedAtMs = 0] = await this.#engine.store.drains.find([this.name]);
      if (askedAtMs < this.#startedAtMs) return;
      this.#log.info("asked to stop: taking nothing new, finishing what runs");
      const { drainMs } = this.#settings;
      this.#tellDraining();
      await this.stop(drainMs === undefined ? {} : { drainMs });
    } catch (err) {
      this.#log.debug({ err }, "could not ask whether this worker is to stop");
    }
  }

  async #checkRuns(): Promise<void> {
    await Promise.all([...this.#active.runIds()].map((runId) => this.#checkRun(runId)));
  }

  async #checkRun(runId: string): Promise<void> {
    try {
      const { stopped, kills, recalled } = await this.#engine.store.runs.findStop(runId);
      if (stopped && kills) this.#active.abortRun(runId, "run_stopped");
      else this.#active.abortParts(runId, recalled, "run_stopped");
    } catch (err) {
      this.#log.debug({ err, run_id: runId }, "could not ask whether the run was stopped");
    }
  }
}
