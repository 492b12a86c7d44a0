import { performance } from "node:perf_hooks";
import { PhaseStatusSchema } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Pools } from "../live/pools.ts";
import { AttemptTally } from "./attempt-tally.ts";
import { readRunFigures } from "./run-figures.ts";

/** Pools that get series of their own: label values have to be bounded. */
const MAX_POOLS = 100;
const DURATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
/** Gauges of the library that are called as only counters may be; the same by type stays. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];
const LIVE_RUN_STATES = ["queued", "running"] as const;
const BEGUN_PHASE_STATES = PhaseStatusSchema.options.filter((status) => status !== "pending");
const SHARD_STATES = ["waiting", "in_flight", "succeeded", "failed", "cancelled"];
const OUTCOMES = ["succeeded", "failed", "cancelled", "lost"];

/** The figures of a deployment in the text format of Prometheus. Read when they are asked for, never in between. */
export class DashboardMetrics {
  readonly #store: Store;
  readonly #pools: Pools;
  readonly #registry = new Registry();
  readonly #runs = this.#gauge("fanfold_runs", "Runs that are not over", ["status"]);
  readonly #storedRuns = this.#gauge("fanfold_stored_runs", "Runs that are kept, those that are over included");
  readonly #phases = this.#gauge("fanfold_phases", "Phases that have begun, of runs that are not over", ["status"]);
  readonly #shards = this.#gauge("fanfold_shards", "Shards of runs that are not over", ["status"]);
  readonly #depth = this.#gauge("fanfold_queue_jobs", "Jobs on the queue of a pool", ["pool", "state"]);
  readonly #wait = this.#gauge("fanfold_queue_oldest_wait_seconds", "Wait of the job that waits longest", ["pool"]);
  readonly #workers = this.#gauge("fanfold_pool_workers", "Workers that serve a pool", ["pool"]);
  readonly #ping = this.#gauge("fanfold_redis_ping_seconds", "Time of a round trip to Redis");
  readonly #durations = new Histogram({
    name: "fanfold_attempt_duration_seconds",
    help: "Duration of attempts that ended since the dashboard started",
    labelNames: ["outcome"],
    buckets: DURATION_BUCKETS,
    registers: [this.#registry],
  });
  readonly #retries = this.#counter("fanfold_attempt_retries_total", "Attempts that failed and are tried again");
  readonly #losses = this.#counter("fanfold_attempts_lost_total", "Attempts that were lost with their workers");
  readonly #tally: AttemptTally;
  #reading: Promise<string> | undefined;

  constructor(store: Store, pools: Pools) {
    this.#store = store;
    this.#pools = pools;
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    for (const outcome of OUTCOMES) this.#durations.zero({ outcome });
    this.#tally = new AttemptTally(store, {
      ended: (outcome, seconds) => {
        if (seconds !== undefined) this.#durations.observe({ outcome }, seconds);
      },
      retried: () => this.#retries.inc(),
      lost: () => this.#losses.inc(),
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Begins to count attempts. */
  start(): Promise<void> {
    return this.#tally.catchUp();
  }

  /** The figures now. Calls during a reading share it. */
  read(): Promise<string> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<string> {
    await Promise.all([this.#readRuns(), this.#readPools(), this.#readPing(), this.#tally.catchUp()]);
    return this.#registry.metrics();
  }

  async #readRuns(): Promise<void> {
    const { runs, phases, shards, storedRuns } = await readRunFigures(this.#store);
    for (const status of LIVE_RUN_STATES) this.#runs.set({ status }, runs.get(status) ?? 0);
    for (const status of BEGUN_PHASE_STATES) this.#phases.set({ status }, phases.get(status) ?? 0);
    for (const status of SHARD_STATES) this.#shards.set({ status }, shards.get(status) ?? 0);
    this.#storedRuns.set(storedRuns);
  }

  async #readPools(): Promise<void> {
    for (const gauge of [this.#depth, this.#wait, this.#workers]) gauge.reset();
    const pools = (await this.#pools.list()).slice(0, MAX_POOLS);
    const nowMs = Date.now();
    for (const { pool, workers, waiting, active, delayed, failed } of pools) {
      const oldestMs = waiting === 0 ? undefined : await this.#pools.oldestWaitMs(pool);
      this.#wait.set({ pool }, oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs) / 1_000);
      this.#workers.set({ pool }, workers);
      for (const [state, count] of Object.entries({ waiting, active, delayed, failed })) {
        this.#depth.set({ pool, state }, count);
      }
    }
  }

  async #readPing(): Promise<void> {
    const startedMs = performance.now();
    await this.#store.redis.ping();
    this.#ping.set((performance.now() - startedMs) / 1_000);
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] });
  }
}
