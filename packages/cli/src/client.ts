import { compilePlanValue, formatProblem } from "@fanfold/core";
import { RunEngine, warnOfUnservedPools } from "@fanfold/engine";
import type { JournalLine, PlanInput, RunRecord } from "@fanfold/schemas";
import { connectRedis, DEFAULT_PREFIX, FileArtifactStore, openStore, PlanSigner } from "@fanfold/store";

/** Where a client's deployment is. */
export interface ClientOptions {
  /** `redis://` or `rediss://` URL; the environment's REDIS_URL when absent. */
  readonly redisUrl?: string;
  /** Key prefix of the deployment, a word in braces. */
  readonly prefix?: string;
  /** Key to sign plans with; the environment's FANFOLD_SIGNING_KEY when absent. */
  readonly signingKey?: string;
}

/** How a plan is submitted. */
export interface SubmitOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** Idempotency key: submitting the same id again gives the run that is there. */
  readonly runId?: string;
  /** Directory of the plan's scripts and handlers, relative to the workers' workspaces (default `.`). */
  readonly baseDir?: string;
}

/** Submits plans and looks at runs from a script; workers and schedulers run elsewhere. */
export interface Client {
  /**
   * Stores a run and queues its start. Warns of pools that no worker serves now.
   *
   * @throws {Error} naming every problem of an invalid plan
   */
  submit(plan: PlanInput, options?: SubmitOptions): Promise<{ runId: string; isNew: boolean; warnings: string[] }>;
  /** @throws {StoreError} RUN_NOT_FOUND */
  getRun(runId: string): Promise<RunRecord>;
  /** The run's journal from its beginning, and then each new line, until the signal aborts. */
  follow(runId: string, options: { signal: AbortSignal }): AsyncIterable<JournalLine>;
  /** Cancels a run, or a phase or a shard of it. @throws {EngineError} RUN_OVER, PHASE_OVER, UNKNOWN_PHASE */
  cancel(runId: string, part?: { readonly phase: string; readonly shard?: number }): Promise<RunRecord>;
  /** Lets nothing new of a run start. @throws {EngineError} RUN_OVER */
  pause(runId: string): Promise<RunRecord>;
  /** Lets a paused run go on. @throws {EngineError} RUN_OVER */
  resume(runId: string): Promise<RunRecord>;
  /** Retries what failed for good. @returns names of what is tried again */
  retry(runId: string): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Connects to a deployment.
 *
 * @throws {StoreError} when Redis cannot be reached or used
 */
export async function createClient(options: ClientOptions = {}): Promise<Client> {
  const { redisUrl = process.env.REDIS_URL ?? "redis://127.0.0.1:6379", prefix = DEFAULT_PREFIX } = options;
  const signingKey = options.signingKey ?? process.env.FANFOLD_SIGNING_KEY;
  const signer = signingKey ? new PlanSigner(signingKey) : undefined;
  const store = openStore(await connectRedis({ url: redisUrl }), new FileArtifactStore("."), prefix, signer);
  const engine = new RunEngine(store);
  return {
    submit: async (plan, { variables = {}, runId, baseDir = "." } = {}) => {
      const result = compilePlanValue(plan, { variables: { ...variables }, baseDir });
      if (!result.ok) throw new Error(`invalid plan\n${result.problems.map(formatProblem).join("\n")}`);
      const submitted = await engine.submit(result.plan, runId);
      return { ...submitted, warnings: await warnOfUnservedPools(store, result.plan) };
    },
    getRun: (runId) => store.runs.get(runId),
    follow: (runId, { signal }) => store.journal.follow(runId, 0, { signal }),
    cancel: async (runId, part) => {
      if (part === undefined) return engine.cancel(runId, "client");
      await engine.cancelPart(runId, part);
      return store.runs.get(runId);
    },
    pause: (runId) => engine.pause(runId, "client"),
    resume: (runId) => engine.resume(runId, "client"),
    retry: (runId) => engine.retry(runId, {}, "client"),
    close: () => store.close(),
  };
}
