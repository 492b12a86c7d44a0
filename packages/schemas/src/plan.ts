import { z } from "zod";
import { ArtifactNameSchema, PhaseIdSchema, PlanIdSchema, PoolNameSchema } from "./ids.ts";
import { PromptSchema, RetryStrategySchema } from "./prompt.ts";

const MAX_SEC = 30 * 24 * 3600;

const durationSec = z.number().min(0).max(MAX_SEC);
const envSchema = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "not a name of an environment variable"),
  z.string(),
);
const jsonValue = z.json();

const matrixValue = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "use letters, digits, '_', '-' and '.'");
const matrixPoint = z.record(z.string(), matrixValue);
const LockNameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$/, "use letters, digits and _ . : / -");
const prioritySchema = z.int().min(-100).max(100);
const exitCodes = z.array(z.int().min(1).max(255)).max(255);

/** What a phase does to the rest of its run once it has failed for good. */
export const OnFailureSchema = z.enum(["abort", "skip_dependents", "continue"]);
export type OnFailure = z.infer<typeof OnFailureSchema>;

/** When an edge lets its target start: after the source's success, its failure, or either. */
export const DependencyWhenSchema = z.enum(["success", "failure", "always", "completed"]);

/** One dependency in its long form; a plain string is `{ phase, kind: hard, when: success }`. */
export const DependencySchema = z.strictObject({
  phase: PhaseIdSchema.describe("Id of the phase this one depends on."),
  kind: z.enum(["hard", "soft"]).default("hard").describe("`soft` gates only if its source takes part in the run."),
  when: DependencyWhenSchema.default("success").describe(
    "Outcome of the source that lets this phase start. `completed` is `always`.",
  ),
});

/** How the records of a phase are cut into shards. */
export const ShardSchema = z.strictObject({
  strategy: z.enum(["full", "chunk", "scene", "route", "group"]).describe("Rule that cuts the records into shards."),
  over: z
    .union([ArtifactNameSchema, z.array(jsonValue).max(100_000)])
    .optional()
    .describe("What is cut: the name of a JSONL artifact, or a list in the plan."),
  chunk_size: z.int().min(1).max(1_000_000).optional().describe("Records a shard; `chunk` only."),
  batch_size: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Groups a shard (default 1); `scene`, `route` and `group` only."),
  group_by: z.string().min(1).max(100).optional().describe("Field whose equal values form a group; `group` only."),
  grouping: z
    .enum(["contiguous", "key"])
    .optional()
    .describe(
      "`contiguous` (default): an id that comes back later is a new group. `key`: gathers it with its first appearance.",
    ),
});
export type Shard = z.infer<typeof ShardSchema>;

/** How the text of an artifact is read as items. */
export const ItemFormatSchema = z.enum(["json_array", "line_delimited", "comma_separated"]);
export type ItemFormat = z.infer<typeof ItemFormatSchema>;

/** What a phase is run for each item of: an artifact, whose format is found out when it is not named. */
export const ForEachSchema = z.union([
  ArtifactNameSchema,
  z.strictObject({
    artifact: ArtifactNameSchema.describe("Artifact that has the items."),
    format: ItemFormatSchema.optional().describe("How its text is read as items (default: by what it looks like)."),
  }),
]);

const keyField = z.string().min(1).max(100);

/** How the shard outputs of a phase are folded, always in shard order. */
export const MergeSchema = z.strictObject({
  strategy: z
    .enum(["records", "concat", "array", "object", "handler", "command"])
    .default("records")
    .describe("Rule that folds the shard outputs. `handler` and `command` get the output files in shard order."),
  key: z
    .union([keyField, z.array(keyField).min(1).max(10)])
    .optional()
    .describe("`records`: field, or fields, that identify a record; the result follows the source order of this key."),
  on_duplicate: z
    .enum(["error", "first", "last"])
    .optional()
    .describe("`records` with a key, and `object`: what to do with a key that comes twice (default error)."),
  complete: z.boolean().optional().describe("`records` with a key: demand exactly the keys of the source."),
  command: z
    .string()
    .min(1)
    .optional()
    .describe("`command`: program that gets the output files as its last arguments."),
  args: z.array(z.string()).max(10_000).optional().describe("`command`: arguments before the output files."),
  handler: z.string().min(1).optional().describe("`handler`: module whose default export folds the output files."),
});
export type Merge = z.infer<typeof MergeSchema>;

/** Dimensions along which a phase has one instance per combination. */
export const MatrixSchema = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "not a name of a dimension"),
    z.union([z.array(matrixValue).min(1).max(1_000), z.array(matrixPoint).max(1_000)]),
  )
  .describe("Name of a dimension → its values. `include` adds combinations, `exclude` takes some away.");

/** A named mutex that a phase holds while it runs, across all runs of the deployment. */
export const LockSchema = z.union([
  LockNameSchema,
  z.strictObject({
    name: LockNameSchema.describe("Name of the mutex."),
    timeout_sec: durationSec.optional().describe("Longest wait for it, in seconds (default: for ever)."),
  }),
]);

/** A named semaphore that each executing shard of a phase holds a slot of, across all runs of the deployment. */
export const ConcurrencyKeySchema = z.union([
  LockNameSchema,
  z.strictObject({
    name: LockNameSchema.describe("Name of the key."),
    limit: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe("Shards under this key that may execute at once (default 1)."),
  }),
]);

/** What each process of a command may use at most. */
export const LimitsSchema = z.strictObject({
  memory_mb: z.int().min(1).max(1_048_576).optional().describe("Memory of its own of each process, in MiB."),
  cpu_sec: z.int().min(1).max(MAX_SEC).optional().describe("Processor time of each process, in seconds."),
  file_size_mb: z.int().min(1).max(1_048_576).optional().describe("Size of each file it writes, in MiB."),
});
export type Limits = z.infer<typeof LimitsSchema>;

/** Whether and how the outputs of a phase's shards are reused. */
export const CacheSchema = z.union([
  z.boolean(),
  z.strictObject({
    ttl_days: z
      .number()
      .positive()
      .max(3650)
      .optional()
      .describe("Days after which an output is no longer reused (default: never)."),
    key: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe("Text that becomes part of the fingerprint: another text, and nothing earlier is reused."),
    version: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("Version of the work, which counts instead of the content of its files."),
  }),
]);

/** What an attempt costs, where its usage reports do not say. */
export const CostSchema = z.strictObject({
  model: z.string().min(1).max(200).optional().describe("Entry of `globals.prices` for usage that names none."),
  flat_usd: z.number().min(0).max(1_000_000).optional().describe("Cost of each attempt, whatever it uses."),
});

/** Price of a model, in USD. */
export const PriceSchema = z.strictObject({
  prompt_per_1k_usd: z.number().min(0).max(1_000_000).optional().describe("Per 1,000 prompt tokens."),
  completion_per_1k_usd: z.number().min(0).max(1_000_000).optional().describe("Per 1,000 completion tokens."),
  flat_usd: z.number().min(0).max(1_000_000).optional().describe("Per usage report."),
});
export type Price = z.infer<typeof PriceSchema>;

/** Files that are collected from the working directory. */
export const CollectFilesSchema = z.strictObject({
  files: z
    .array(z.string().min(1).max(500))
    .min(1)
    .max(100)
    .describe("Patterns of `*`, `?` and `**`, relative to the working directory."),
});

const collectRule = z.union([z.enum(["stdout_final", "git_diff"]), CollectFilesSchema]);

/** What an attempt hands over beside what it reports. */
export const CollectSchema = z.union([...collectRule.options, z.array(collectRule).min(1).max(10)]);
export type Collect = z.infer<typeof CollectSchema>;

/** A question to a person, which the phase waits for. */
export const ApprovalSchema = z.union([
  z.string().min(1).max(2_000),
  z.strictObject({
    message: z.string().min(1).max(2_000).optional().describe("What is to be approved, for whoever decides."),
  }),
]);

/** One node of a plan's DAG, as the document declares it. */
export const PhaseSchema = z.strictObject({
  id: PhaseIdSchema.describe("Unique id within the plan."),
  name: z.string().max(200).optional().describe("Title for people; the id when absent."),
  description: z.string().max(10_000).optional().describe("What the phase does, for people."),
  command: z.string().min(1).optional().describe("Program to run, without a shell unless `shell` is true."),
  args: z.array(z.string()).max(10_000).optional().describe("Arguments of `command`, passed as they are."),
  handler: z
    .string()
    .min(1)
    .optional()
    .describe("JavaScript module whose default export runs the shard; relative to the plan's file."),
  approval: ApprovalSchema.optional().describe(
    "The phase waits for a person to approve or reject: the question, or `{ message }`.",
  ),
  prompt: PromptSchema.optional().describe("Text that the work gets as a file; the same in each attempt."),
  cwd: z.string().min(1).optional().describe("Working directory, relative to the plan's directory (the default)."),
  shell: z.boolean().optional().describe("Run `command` through /bin/sh (default false)."),
  env: envSchema.optional().describe("Added to the worker's environment and to `globals.env`."),
  depends_on: z
    .array(z.union([PhaseIdSchema, DependencySchema]))
    .max(10_000)
    .optional()
    .describe("Phases that come before this one: ids, or `{ phase, kind, when }`."),
  shard: ShardSchema.optional().describe("How the work is cut into shards; without it there is one."),
  for_each: ForEachSchema.optional().describe("Artifact with items: one shard for each of them, in their order."),
  merge: MergeSchema.optional().describe("How the outputs of the shards become the output of the phase."),
  max_parallel: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe("Shards of this phase that may execute at once, over all workers."),
  concurrency_key: ConcurrencyKeySchema.optional().describe(
    "Named cap that its shards share with those of other phases and runs.",
  ),
  priority: prioritySchema
    .optional()
    .describe("Which shards a pool runs first: higher is sooner (default `globals.priority`)."),
  pool: PoolNameSchema.optional().describe("Pool of workers that runs the shards (default `default`)."),
  retries: z.int().min(0).max(1_000).optional().describe("Extra tries of a shard after its first."),
  retry_delay_sec: durationSec.optional().describe("Wait before the first retry, in seconds (default 1)."),
  retry_backoff: z.enum(["fixed", "exponential"]).optional().describe("How the wait grows (default fixed)."),
  retry_max_delay_sec: durationSec.optional().describe("Longest wait, in seconds (default 300)."),
  retry_jitter: z.number().min(0).max(1).optional().describe("Spread of the wait, 0…1 (default 0)."),
  retry_strategy: RetryStrategySchema.optional().describe("What the prompt of a retry says beside the phase's own."),
  repeat_until: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe("CEL expression over `output` and `iteration`; the phase runs again until it is true."),
  max_iterations: z
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe("Times `repeat_until` may let the phase run (default 10)."),
  timeout_sec: z
    .number()
    .positive()
    .max(MAX_SEC)
    .optional()
    .describe("Longest time of one attempt, or of the wait for an approval, in seconds."),
  on_failure: OnFailureSchema.optional().describe("What a failure does to the rest of the run (default abort)."),
  critical: z.boolean().optional().describe("Whether a failure fails the run (default true)."),
  enabled: z.boolean().optional().describe("Whether the phase takes part in runs (default true)."),
  condition: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe("CEL expression over `vars`, `phases` and `outputs`; when it is false the phase is skipped."),
  matrix: MatrixSchema.optional(),
  retry_on_timeout: z.boolean().optional().describe("Whether a timeout is retried (default true)."),
  retry_on_exit_codes: exitCodes.optional().describe("Only these exit codes are retried."),
  non_retryable_exit_codes: exitCodes.optional().describe("These exit codes are never retried."),
  max_consecutive_failures: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Shards failing in a row after which the phase releases no more of them."),
  max_failed_shards: z
    .union([
      z.int().min(0).max(1_000_000_000),
      z.string().regex(/^(100|[0-9]{1,2})(\.[0-9]+)?%$/, 'write a number or a percentage such as "5%"'),
    ])
    .optional()
    .describe("Failed shards that the phase tolerates, as a number or a percentage; the merge goes on without them."),
  lock: LockSchema.optional().describe("Mutex the phase holds while it runs, across all runs."),
  limits: LimitsSchema.optional().describe("What each process of the phase's commands may use at most."),
  cost: CostSchema.optional().describe("What its attempts cost."),
  cache: CacheSchema.optional().describe("Whether outputs of earlier shards with the same inputs are reused."),
  consumes: z.array(ArtifactNameSchema).max(1_000).optional().describe("Artifacts of earlier phases this one reads."),
  provides: z
    .array(ArtifactNameSchema)
    .max(1_000)
    .optional()
    .describe("Artifacts this phase makes; the first one is its output."),
  spawnable: z.boolean().optional().describe("Whether attempts of other phases may spawn it (default false)."),
  max_spawn_depth: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe("How deep its children may spawn in turn; 1: children that spawn nothing (default 3)."),
  max_spawned: z
    .int()
    .min(0)
    .max(1_000)
    .optional()
    .describe("Children that one of its shards may spawn, over all its attempts (default 20)."),
  collect: CollectSchema.optional().describe(
    "What an attempt hands over beside what it reports: `stdout_final`, `git_diff`, `{ files }`, or a list of these.",
  ),
  tags: z.array(z.string().max(100)).max(100).optional().describe("Words to find the phase by."),
  ui_hints: z.record(z.string(), jsonValue).optional().describe("Anything a user interface may want to know; ignored."),
});
export type Phase = z.infer<typeof PhaseSchema>;

const stageMembers = z
  .array(z.union([PhaseIdSchema, PhaseSchema]))
  .min(1)
  .max(20_000);

/** A group of phases that run side by side, after those of the stage before. */
export const StageSchema = z.strictObject({
  id: PhaseIdSchema.describe("Unique id among the stages."),
  name: z.string().max(200).optional().describe("Title for people."),
  phases: stageMembers.optional().describe("Phases of the stage: ids of phases of the plan, or phases written here."),
  jobs: stageMembers.optional().describe("Another name of `phases`."),
});

/** Settings of the whole run. */
export const GlobalsSchema = z.strictObject({
  max_concurrency: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe("Shards of the run that may execute at once, over all workers."),
  priority: prioritySchema.optional().describe("`priority` of phases that name none (default 0)."),
  default_timeout_sec: z
    .number()
    .positive()
    .max(MAX_SEC)
    .optional()
    .describe("`timeout_sec` of phases that name none (default 1800)."),
  default_retries: z.int().min(0).max(1_000).optional().describe("`retries` of phases that name none (default 0)."),
  kill_grace_sec: durationSec.optional().describe("Seconds between SIGTERM and SIGKILL (default 5)."),
  cancellation: z
    .enum(["isolated", "cascading"])
    .optional()
    .describe("Whether an abort lets running siblings finish (isolated, default) or kills them."),
  timeout_sec: z.number().positive().max(MAX_SEC).optional().describe("Longest time of the whole run, in seconds."),
  cost_budget_usd: z
    .number()
    .min(0)
    .max(1_000_000_000)
    .optional()
    .describe("Cost in USD at which the run starts nothing new."),
  prices: z
    .record(z.string().min(1).max(200), PriceSchema)
    .optional()
    .describe("Name of a model → its price, for usage that reports no cost."),
  env: envSchema.optional().describe("Added to the worker's environment for every command."),
});
export type Globals = z.infer<typeof GlobalsSchema>;

/** A variable of a plan. Its value is text wherever it is put in; the type is a check. */
export const VariableSchema = z.strictObject({
  type: z
    .enum(["string", "number", "boolean", "enum"])
    .optional()
    .describe("What its value must look like (default string)."),
  values: z.array(z.string()).min(1).max(1_000).optional().describe("Values of an `enum`."),
  pattern: z.string().min(1).max(500).optional().describe("Regular expression that the whole value must match."),
  required: z
    .boolean()
    .optional()
    .describe("Whether a value must be given when there is no default (default: when it is used)."),
  default: z.union([z.string(), z.number(), z.boolean()]).optional().describe("Value when the caller gives none."),
  description: z.string().max(1_000).optional().describe("What the variable is for."),
});
export type Variable = z.infer<typeof VariableSchema>;

/** A plan document: the one shape of JSON, YAML and TypeScript. `steps` is another name of `phases`. */
export const PlanSchema = z.strictObject({
  $schema: z.string().optional().describe("Where editors find the schema of this document; ignored."),
  plan_id: PlanIdSchema.describe("Id of the plan, the same in all its versions."),
  version: z.string().min(1).max(64).describe('Version of the plan, in quotes: "1.0".'),
  description: z.string().max(10_000).optional().describe("What the plan does, for people."),
  globals: GlobalsSchema.optional().describe("Settings of the whole run, and defaults of its phases."),
  variables: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "not a name of a variable"), VariableSchema)
    .optional()
    .describe("Name → declaration. `${NAME}` in any string of the plan is replaced by the value."),
  stages: z
    .array(StageSchema)
    .min(1)
    .max(1_000)
    .optional()
    .describe("Groups of phases that run one after the other; shorthand for `depends_on`."),
  phases: z.array(PhaseSchema).min(1).max(20_000).describe("The phases, in the order in which they start when ready."),
  metadata: z.record(z.string(), jsonValue).optional().describe("Anything that goes with the plan; kept with the run."),
});
export type Plan = z.infer<typeof PlanSchema>;

/** A plan as its author writes it: defaults may be left out, and `phases` may be called `steps`. */
export type PlanInput = Omit<z.input<typeof PlanSchema>, "phases"> &
  (
    | { phases: z.input<typeof PhaseSchema>[] }
    | { steps: z.input<typeof PhaseSchema>[] }
    | { stages: z.input<typeof StageSchema>[] }
  );

/**
 * Fields of the plan format that later releases implement. A plan that uses one is refused with
 * "not supported yet", so that nobody believes a cap or a gate to be in force that is not.
 */
export const UNSUPPORTED_FIELDS = {
  plan: ["hooks", "notify"],
  globals: [],
  phase: ["plan", "agents"],
  merge: [],
} as const satisfies Record<string, readonly string[]>;

/** Gives a plan written in TypeScript its type; returns it as it is. */
export function definePlan(plan: PlanInput): PlanInput {
  return plan;
}
