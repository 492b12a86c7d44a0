import { z } from "zod";
import { ArtifactNameSchema, PhaseIdSchema, PlanIdSchema, PoolNameSchema } from "./ids.ts";
import { OnFailureSchema, ShardSchema } from "./plan.ts";

/** One resolved edge of the DAG. */
export const CompiledDependencySchema = z.strictObject({
  phase: PhaseIdSchema,
  kind: z.enum(["hard", "soft"]),
  when: z.enum(["success", "failure", "always"]),
});
export type CompiledDependency = z.infer<typeof CompiledDependencySchema>;

/** The work of a phase: exactly one kind. */
export const WorkSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("command"), command: z.string(), args: z.array(z.string()), shell: z.boolean() }),
  z.strictObject({ kind: z.literal("handler"), handler: z.string() }),
]);
export type Work = z.infer<typeof WorkSchema>;

/** Resolved merge. `none`: the phase has one shard whose output is the phase's output as it is. */
export const CompiledMergeSchema = z.discriminatedUnion("strategy", [
  z.strictObject({ strategy: z.literal("none") }),
  z.strictObject({
    strategy: z.literal("records"),
    key: z.string().nullable(),
    on_duplicate: z.enum(["error", "first", "last"]),
    complete: z.boolean(),
  }),
  z.strictObject({ strategy: z.literal("concat") }),
  z.strictObject({ strategy: z.literal("array") }),
]);
export type CompiledMerge = z.infer<typeof CompiledMergeSchema>;

/** Retry rule of a phase, complete. */
export const RetryRuleSchema = z.strictObject({
  retries: z.int().min(0),
  delay_sec: z.number().min(0),
  backoff: z.enum(["fixed", "exponential"]),
  max_delay_sec: z.number().min(0),
  jitter: z.number().min(0).max(1),
});
export type RetryRule = z.infer<typeof RetryRuleSchema>;

/** A phase with every default filled in and every variable replaced. */
export const CompiledPhaseSchema = z.strictObject({
  id: PhaseIdSchema,
  name: z.string(),
  work: WorkSchema,
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
  depends_on: z.array(CompiledDependencySchema),
  shard: ShardSchema.nullable(),
  merge: CompiledMergeSchema,
  max_parallel: z.int().min(1).nullable(),
  pool: PoolNameSchema,
  retry: RetryRuleSchema,
  timeout_sec: z.number().positive(),
  on_failure: OnFailureSchema,
  critical: z.boolean(),
  consumes: z.array(ArtifactNameSchema),
  provides: z.array(ArtifactNameSchema).min(1),
  tags: z.array(z.string()),
});
export type CompiledPhase = z.infer<typeof CompiledPhaseSchema>;

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
  cancellation: z.enum(["isolated", "cascading"]),
  env: z.record(z.string(), z.string()),
  variables: z.record(z.string(), z.string()),
  metadata: z.record(z.string(), z.json()),
  phases: z.array(CompiledPhaseSchema).min(1),
});
export type CompiledPlan = z.infer<typeof CompiledPlanSchema>;
