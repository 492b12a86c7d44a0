import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseReuse, compilePlanValue, formatProblem, type ReuseChoice } from "@fanfold/core";
import { hashCode, RunEngine } from "@fanfold/engine";
import { type RetentionSettings, SchedulerService } from "@fanfold/scheduler";
import type { CompiledPlan, JournalLine, PlanInput, RunRecord } from "@fanfold/schemas";
import {
  connectRedis,
  FileArtifactStore,
  type OnRedisNotice,
  openStore,
  PlanSigner,
  type RedisAddress,
  type Store,
} from "@fanfold/store";
import { WorkerService } from "@fanfold/worker";
import pino from "pino";
import { eventually } from "./eventually.ts";

let deployments = 0;

/** How a {@link Deployment} is set up. */
export interface DeploymentOptions {
  readonly workers?: number;
  readonly concurrency?: number;
  /** Name of a worker; `worker-1` and so on by default. */
  readonly name?: string;
  readonly workspaceDir?: string;
  readonly signingKey?: string;
  readonly onRedisNotice?: OnRedisNotice;
}

/** A deployment inside the test's process, on a key prefix of its own. */
export class Deployment {
  readonly dir: string;
  readonly store: Store;
  readonly engine: RunEngine;
  readonly #schedulers: SchedulerService[] = [];
  readonly #workers: WorkerService[] = [];
  readonly #ownStores: Store[] = [];

  constructor(dir: string, store: Store) {
    this.dir = dir;
    this.store = store;
    this.engine = new RunEngine(store);
  }

  static async start(redis: RedisAddress, options: DeploymentOptions = {}): Promise<Deployment> {
    const { workers = 1, concurrency = 4 } = options;
    const dir = await mkdtemp(join(tmpdir(), "fanfold-test-"));
    deployments += 1;
    const prefix = `{t${process.pid}-${deployments}}`;
    const { onRedisNotice: onNotice } = options;
    const connection = await connectRedis(redis, { prefix, ...(onNotice === undefined ? {} : { onNotice }) });
    const signer = options.signingKey === undefined ? undefined : new PlanSigner(options.signingKey);
    const store = openStore(connection, new FileArtifactStore(join(dir, "artifacts")), prefix, signer);
    const deployment = new Deployment(dir, store);
    await deployment.addScheduler();
    for (let i = 0; i < workers; i += 1) await deployment.addWorker({ ...options, concurrency });
    return deployment;
  }

  async addScheduler(retention?: RetentionSettings): Promise<SchedulerService> {
    const scheduler = new SchedulerService(this.engine, pino({ level: "silent" }), retention);
    await scheduler.start();
    this.#schedulers.push(scheduler);
    return scheduler;
  }

  /** Adds a worker that shares nothing with the rest but Redis and the files, as a process of its own would. */
  async addSeparateWorker(redis: RedisAddress, options: DeploymentOptions = {}): Promise<WorkerService> {
    const { prefix } = this.store.keys;
    const connection = await connectRedis(redis, { prefix });
    const own = openStore(connection, new FileArtifactStore(join(this.dir, "artifacts")), prefix);
    this.#ownStores.push(own);
    return this.addWorker(options, new RunEngine(own));
  }

  async addWorker(
    { concurrency = 4, workspaceDir = this.dir, name }: DeploymentOptions = {},
    engine = this.engine,
  ): Promise<WorkerService> {
    const settings = {
      pools: ["default"],
      concurrency,
      workspaceDir,
      scratchDir: join(this.dir, "scratch"),
      name: name ?? `worker-${this.#workers.length + 1}`,
    };
    const worker = new WorkerService(engine, settings, pino({ level: "silent" }));
    await worker.start();
    this.#workers.push(worker);
    return worker;
  }

  /** A worker, in the order they were added. */
  worker(index: number): WorkerService {
    const worker = this.#workers[index];
    if (worker === undefined) throw new Error(`there is no worker ${index}`);
    return worker;
  }

  /** Submits a plan, with the hashes of the files it runs in the workspace, and gives the id of its run. */
  async submit(plan: PlanInput, runId?: string, choice: ReuseChoice = {}): Promise<string> {
    const hashed = await hashCode(compile(plan), this.dir);
    return (await this.engine.submit(chooseReuse(hashed.plan, choice).plan, runId)).runId;
  }

  /** Waits for the end of a run. */
  ended(runId: string, timeoutMs = 15_000): Promise<RunRecord> {
    return eventually(
      async () => {
        const run = await this.store.runs.get(runId);
        if (run.finished_at_ms === null) throw new Error(`run is ${run.status}: ${await this.story(runId)}`);
        return run;
      },
      { timeoutMs },
    );
  }

  /** Submits a plan and waits for the end of its run. */
  async run(plan: PlanInput, timeoutMs?: number): Promise<RunRecord> {
    return this.ended(await this.submit(plan), timeoutMs);
  }

  async journal(runId: string): Promise<JournalLine[]> {
    const lines: JournalLine[] = [];
    for await (const line of this.store.journal.readAll(runId)) lines.push(line);
    return lines;
  }

  /** The journal's events in short, such as `shard_started a[0]`. */
  async story(runId: string): Promise<string> {
    const lines = await this.journal(runId);
    return lines
      .map(
        ({ event, phase, shard }) =>
          `${event}${phase === null ? "" : ` ${phase}`}${shard === null ? "" : `[${shard}]`}`,
      )
      .join(", ");
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers, ...this.#schedulers].map((service) => service.stop()));
    await Promise.all([this.store, ...this.#ownStores].map((store) => store.close()));
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Compiles a plan that must be valid. */
export function compile(plan: PlanInput, baseDir = "."): CompiledPlan {
  const result = compilePlanValue(plan, { baseDir });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.plan;
}
