import { z } from "zod";
import { ArtifactNameSchema, InstanceIdSchema, PlanIdSchema, PoolNameSchema } from "./ids.ts";
import { JsonSchema } from "./json.ts";
import { CostSchema, ItemFormatSchema, LimitsSchema, OnFailureSchema, PriceSchema, ShardSchema } from "./plan.ts";
import { CompiledSpawnSchema, SpawnedBySchema } from "./spawn.ts";

/** One resolved edge of the DAG. */
export const CompiledDependencySchema = z.strictObject({
  phase: InstanceIdSchema,
  kind: z.enum(["hard", "soft"]),
  when: z.enum(["success", "failure", "always"]),
});
export type CompiledDependency = z.infer<typeof CompiledDependencySchema>;

/** The work of a phase: exactly one kind. */
export const WorkSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("command"), command: z.string(), args: z.array(z.string()), shell: z.boolean() }),
  z.strictObject({ kind: z.literal("handler"), handler: z.string() }),
  /** A person approves or rejects. It has no shard. */
  z.strictObject({ kind: z.literal("approval"), message: z.string().nullable() }),
]);
export type Work = z.infer<typeof WorkSchema>;

/** Resolved merge. `none`: the phase has one shard whose output is the phase's output as it is. */
export const CompiledMergeSchema = z.discriminatedUnion("strategy", [
  z.strictObject({ strategy: z.literal("none") }),
  z.strictObject({
    strategy: z.literal("records"),
    /** Fields that identify a record; empty: records stay in shard order. */
    key: z.array(z.string()),
    on_duplicate: z.enum(["error", "first", "last"]),
    complete: z.boolean(),
  }),
  z.strictObject({ strategy: z.literal("concat") }),
  z.strictObject({ strategy: z.literal("array") }),
  z.strictObject({ strategy: z.literal("object"), on_duplicate: z.enum(["error", "first", "last"]) }),
  z.strictObject({ strategy: z.literal("command"), command: z.string(), args: z.array(z.string()) }),
  z.strictObject({ strategy: z.literal("handler"), handler: z.string() }),
]);
export type CompiledMerge = z.infer<typeof CompiledMergeSchema>;

/**
 * An artifact a phase reads. Several sources (a matrix that is joined) make a directory with one file a source,
 * named by `label`; a single source with an empty label is a plain file.
 */
export const ConsumedArtifactSchema = z.strictObject({
  name: ArtifactNameSchema,
  sources: z.array(z.strictObject({ phase: InstanceIdSchema, label: z.string() })).min(1),
});
export type ConsumedArtifact = z.infer<typeof ConsumedArtifactSchema>;

/** Retry rule of a phase, complete. */
export const RetryRuleSchema = z.strictObject({
  retries: z.int().min(0),
  delay_sec: z.number().min(0),
  backoff: z.enum(["fixed", "exponential"]),
  max_delay_sec: z.number().min(0),
  jitter: z.number().min(0).max(1),
  on_timeout: z.boolean(),
  /** Null: every exit code is retried, but for those of `never_exit_codes`. */
  only_exit_codes: z.array(z.int()).nullable(),
  never_exit_codes: z.array(z.int()),
});
export type RetryRule = z.infer<typeof RetryRuleSchema>;

/** When an output of an earlier shard may stand for that of a shard of this phase. */
export const ReuseRuleSchema = z.strictObject({
  /** Age from which on an output is not reused, in days; null: at no age. */
  ttl_days: z.number().positive().nullable(),
  key: z.string(),
  /** What the author says the version of the work is; null: the content of its files counts. */
  version: z.string().nullable(),
  /**
   * Files of the work, relative to the plan's directory, with the sha256 of each as the submitter found it; null where
   * nobody looked: then nothing is reused, unless there is a version.
   */
  code: z.record(z.string(), z.string()).nullable(),
  /** Runs every shard, and lets its output replace the earlier one. */
  refresh: z.boolean(),
});
export type ReuseRule = z.infer<typeof ReuseRuleSchema>;
/** What an attempt hands over beside what it reports. */
export const CompiledCollectSchema = z.strictObject({
  /** The last line of stdout is the output, where stdout is. */
  stdout_final: z.boolean(),
  git_diff: z.boolean(),
  /** Patterns, relative to the working directory. */
  files: z.array(z.string()),
});

/** How a phase is cut. A list of the plan is what it is: it was looked at when the plan was checked. */
const CompiledShardSchema = ShardSchema.extend({ over: z.union([ArtifactNameSchema, z.array(JsonSchema)]).optional() });

/** A phase with every default filled in and every variable replaced. */
export const CompiledPhaseSchema = z.strictObject({
  id: InstanceIdSchema,
  /** Id of the plan's phase; the same as `id` unless the phase has a matrix. */
  template: z.string(),
  /** Coordinates of this instance. */
  matrix: z.record(z.string(), z.string()),
  name: z.string(),
  /** Whether the phase takes part in this run; what does not is neither run nor waited for. */
  takes_part: z.boolean(),
  condition: z.string().nullable(),
  work: WorkSchema,
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
  depends_on: z.array(CompiledDependencySchema),
  shard: CompiledShardSchema.nullable(),
  /** Phase whose artifact `shard.over` names, where it names one. */
  over_phase: InstanceIdSchema.nullable(),
  /** The same in each attempt, whatever an attempt does. */
  prompt: z.string().optional(),
  /** Absent: a retry gets the prompt as it is. */
  retry_context: z.strictObject({ instruction: z.string().nullable() }).optional(),
  /** Its one shard runs again, on its own last output, until the expression is true. */
  repeat: z.strictObject({ until: z.string(), max_iterations: z.int().min(1) }).optional(),
  /** The artifact of `shard.over` is first read as items, and each is a shard. */
  for_each: z.strictObject({ format: z.union([ItemFormatSchema, z.literal("auto")]) }).optional(),
  merge: CompiledMergeSchema,
  max_parallel: z.int().min(1).nullable(),
  concurrency_key: z
    .strictObject({ name: z.string(), limit: z.int().min(1) })
    .nullable()
    .default(null),
  pool: PoolNameSchema,
  priority: z.int().default(0),
  retry: RetryRuleSchema,
  timeout_sec: z.number().positive(),
  /** Longest wait for an approval; absent: it is waited for without end. */
  answer_within_sec: z.number().positive().optional(),
  on_failure: OnFailureSchema,
  critical: z.boolean(),
  max_consecutive_failures: z.int().min(1).nullable(),
  /** Failed shards that are tolerated: a number, or a share of the shards, 0…1. */
  max_failed_shards: z.discriminatedUnion("unit", [
    z.strictObject({ unit: z.literal("shards"), value: z.int().min(0) }),
    z.strictObject({ unit: z.literal("share"), value: z.number().min(0).max(1) }),
  ]),
  lock: z.strictObject({ name: z.string(), timeout_sec: z.number().nullable() }).nullable(),
  /** Absent: the worker's own limits. */
  limits: LimitsSchema.optional(),
  cost: CostSchema,
  /** Absent: nothing is reused, and nothing is kept to be reused. */
  reuse: ReuseRuleSchema.optional(),
  consumes: z.array(ConsumedArtifactSchema),
  provides: z.array(ArtifactNameSchema).min(1),
  /** Absent: nothing is collected. */
  collect: CompiledCollectSchema.optional(),
  tags: z.array(z.string()),
  /** Absent: nobody may spawn it, and what it may spawn has the usual bounds. */
  spawn: CompiledSpawnSchema.optional(),
  /** Present in a phase that an attempt spawned. */
  spawned: SpawnedBySchema.optional(),
});
export type CompiledPhase = z.infer<typeof CompiledPhaseSchema>;

const ids = z.array(z.string()).readonly().optional();

/** What a plan was compiled from, so that it can be compiled again with other variables. */
export const PlanSourceSchema = z.strictObject({
  /** The plan as its author wrote it, before anything was replaced. */
  document: z.record(z.string(), z.unknown()),
  variables: z.record(z.string(), z.string()),
  selection: z.strictObject({ only: ids, skip: ids, from: ids, to: ids }),
  /** Phases and stages that were taken out of the document. */
  exclude: ids,
});
export type PlanSource = z.infer<typeof PlanSourceSchema>;

/** The immutable snapshot a run keeps of its plan. Phases stand in declaration order. */
export const CompiledPlanSchema = z.strictObject({
  schema_version: z.literal(1),
  plan_id: PlanIdSchema,
  version: z.string(),
  description: z.string(),
  /** Directory of the plan's file relative to the workspace; every worker resolves it in its own workspace. */
  base_dir: z.string(),
  max_concurrency: z.int().min(1).nullable(),
  kill_grace_sec: z.number().min(0),
  timeout_sec: z.number().positive().nullable(),
  cost_budget_usd: z.number().min(0).nullable(),
  prices: z.record(z.string(), PriceSchema),
  cancellation: z.enum(["isolated", "cascading"]),
  env: z.record(z.string(), z.string()),
  variables: z.record(z.string(), z.string()),
  metadata: z.record(z.string(), JsonSchema),
  phases: z.array(CompiledPhaseSchema).min(1),
});
export type CompiledPlan = z.infer<typeof CompiledPlanSchema>;
