import {
  chooseReuse,
  compilePlanText,
  compilePlanValue,
  formatProblem,
  type PlanProblem,
  type PlanSelection,
  type ReuseChoice,
} from "@fanfold/core";
import {
  findTemplate,
  type GivenApproval,
  hashCode,
  type RerunOrder,
  type RerunPreview,
  type RetryScope,
  RunEngine,
  warnOfUnservedPools,
} from "@fanfold/engine";
import type { JournalLine, PlanInput, RunRecord } from "@fanfold/schemas";
import { connectRedis, DEFAULT_PREFIX, FileArtifactStore, openStore, PlanSigner } from "@fanfold/store";
import { redisAddressOf } from "./session-config.ts";

/** Where a client's deployment is. */
export interface ClientOptions {
  /** URL in one of the forms of docs/redis.md; the environment's REDIS_URL when absent. */
  readonly redisUrl?: string;
  /** Key prefix of the deployment, a word in braces. */
  readonly prefix?: string;
  /** Key to sign plans with; the environment's FANFOLD_SIGNING_KEY when absent. */
  readonly signingKey?: string;
}

/** How a plan is submitted. */
export interface SubmitOptions extends PlanSelection, ReuseChoice {
  readonly variables?: Readonly<Record<string, string>>;
  /** Idempotency key: submitting the same id again gives the run that is there. */
  readonly runId?: string;
  /** Phases, or stages with all their phases, to take out; dependents inherit what these depended on. */
  readonly exclude?: readonly string[];
  /** Directory of the plan's scripts and handlers, relative to the workers' workspaces (default `.`). */
  readonly baseDir?: string;
  /**
   * Directory that has the plan's files as the workers' workspaces have them: with it the content of handlers and
   * scripts counts when outputs are reused. Without it only phases that declare a version are reused.
   */
  readonly workspaceDir?: string;
}

/** A plan that is in the deployment, or built in: `NAME`, which is its latest version, or `NAME@VERSION`. */
export interface TemplateReference {
  readonly template: string;
}

/** A plan that was submitted. */
export interface Submitted {
  readonly runId: string;
  /** Whether the run was stored; false when one of that id was there. */
  readonly isNew: boolean;
  /** What the author of the plan should know of it. */
  readonly warnings: readonly PlanProblem[];
  /** Pools of the plan that no worker serves now, each in a sentence. */
  readonly unserved: readonly string[];
  /** Phases whose outputs are not reused although the plan asks for it, each in a sentence. */
  readonly notReused: readonly string[];
}

/** Submits plans and looks at runs from a script; workers and schedulers run elsewhere. */
export interface Client {
  /**
   * Stores a run of a plan or a template and queues its start. Warns of pools that no worker serves now.
   *
   * @throws {Error} naming every problem of an invalid plan
   * @throws {EngineError} UNKNOWN_TEMPLATE
   */
  submit(plan: PlanInput | TemplateReference, options?: SubmitOptions): Promise<Submitted>;
  /** @throws {StoreError} RUN_NOT_FOUND */
  getRun(runId: string): Promise<RunRecord>;
  /** The run's journal from its beginning, and then each new line, until the signal aborts. */
  follow(runId: string, options: { signal: AbortSignal }): AsyncIterable<JournalLine>;
  /** Cancels a run, or a phase or a shard of it. @throws {EngineError} RUN_OVER, PHASE_OVER, UNKNOWN_PHASE */
  cancel(runId: string, part?: { readonly phase: string; readonly shard?: number }): Promise<RunRecord>;
  /**
   * Approves or rejects a phase that waits for a person. Of two answers the first one counts.
   *
   * @throws {EngineError} UNKNOWN_PHASE, NOT_AN_APPROVAL, NOT_ASKED, COMMENT_TOO_LONG
   */
  approve(
    runId: string,
    phase: string,
    answer: { readonly approved: boolean; readonly comment?: string },
  ): Promise<GivenApproval>;
  /** Lets nothing new of a run start. @throws {EngineError} RUN_OVER */
  pause(runId: string): Promise<RunRecord>;
  /** Lets a paused run go on. @throws {EngineError} RUN_OVER */
  resume(runId: string): Promise<RunRecord>;
  /** Retries what failed for good: all of it, or that of a phase or a shard. @returns names of what is tried again */
  retry(runId: string, scope?: RetryScope): Promise<string[]>;
  /** Runs phases of a run again. @returns what runs, or may run @throws {EngineError} RERUN_REFUSED, PHASE_BUSY */
  rerun(runId: string, order: RerunOrder): Promise<RerunPreview>;
  /** What a rerun would run, and why; nothing is changed. */
  previewRerun(runId: string, order: RerunOrder): Promise<RerunPreview>;
  /**
   * Removes a run that is over from Redis; content that it alone referred to goes with the next collection.
   *
   * @param options `force` cancels a run that is not over, and waits for its end
   * @throws {StoreError} RUN_NOT_FOUND
   * @throws {EngineError} RUN_LIVE, RUN_BUSY
   */
  remove(runId: string, options?: { force?: boolean }): Promise<void>;
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
  const redis = await connectRedis(redisAddressOf(redisUrl, process.env) ?? {}, {
    prefix,
    allowsEviction: process.env.FANFOLD_ALLOW_EVICTION === "1",
  });
  const store = openStore(redis, new FileArtifactStore("."), prefix, signer);
  const engine = new RunEngine(store);
  return {
    submit: async (plan, { variables = {}, runId, baseDir = ".", workspaceDir, exclude = [], ...choice } = {}) => {
      const { noCache = false, refresh = [], ...selection } = choice;
      const compileOptions = { variables: { ...variables }, baseDir, exclude, selection };
      const result =
        "template" in plan
          ? compilePlanText((await findTemplate(store, plan.template)).source, compileOptions)
          : compilePlanValue(plan, compileOptions);
      if (!result.ok) throw new Error(`invalid plan\n${result.problems.map(formatProblem).join("\n")}`);
      const chosen = chooseReuse(result.plan, { noCache, refresh });
      if (chosen.unknown.length > 0) throw new Error(`refresh: the plan has no phase ${chosen.unknown.join(", ")}`);
      const hashed = await hashCode(chosen.plan, workspaceDir);
      const submitted = await engine.submit(hashed.plan, runId, result.source, "client");
      const unserved = await warnOfUnservedPools(store, hashed.plan);
      return { ...submitted, warnings: result.warnings, unserved, notReused: hashed.warnings };
    },
    getRun: (runId) => store.runs.get(runId),
    follow: (runId, { signal }) => store.journal.follow(runId, 0, { signal }),
    cancel: async (runId, part) => {
      if (part === undefined) return engine.cancel(runId, "client");
      await engine.cancelPart(runId, part, "client");
      return store.runs.get(runId);
    },
    approve: (runId, phase, { approved, comment = "" }) =>
      engine.approve(runId, phase, { approved, comment, actor: "client" }),
    pause: (runId) => engine.pause(runId, "client"),
    resume: (runId) => engine.resume(runId, "client"),
    retry: (runId, scope = {}) => engine.retry(runId, scope, "client"),
    rerun: (runId, order) => engine.rerun(runId, order, "client"),
    previewRerun: (runId, order) => engine.previewRerun(runId, order),
    remove: async (runId, { force = false } = {}) => {
      await engine.remove(runId, { force, actor: "client" });
    },
    close: () => store.close(),
  };
}
