import { z } from "zod";
import { ArtifactNameSchema, InstanceIdSchema, RunIdSchema } from "../ids.ts";
import { PhaseDependencySchema, PhaseStatusSchema, RunStatusSchema } from "../run.ts";
import { VariableDocumentSchema } from "./api-plan.ts";

const count = z.int().min(0);
const revision = z.coerce.number().int().min(1).max(1_000_000);
const record = z.json();

/** What of a run to run again. */
export const RerunRequestSchema = z
  .strictObject({
    phases: z
      .array(InstanceIdSchema)
      .max(20_000)
      .default([])
      .describe("Phases, or ones with a matrix: then all their instances."),
    reach: z
      .enum(["phase", "only", "downstream", "stale", "update"])
      .default("phase")
      .describe(
        "`phase`: and what had not run because of them; `only`: nothing else; `downstream`: and everything that " +
          "depends on them; `stale`: of that, what their new outputs make out of date; `update`: whatever is out of " +
          "date, without phases.",
      ),
    preview: z.boolean().default(false).describe("Say what would run and why, and start nothing."),
    variables: z.record(z.string(), z.string()).optional().describe("Variables with other values; the rest stays."),
    plan: z.record(z.string(), z.json()).optional().describe("A changed plan, as data."),
    plan_text: z.string().min(1).optional().describe("A changed plan, as text."),
    format: z.enum(["yaml", "json"]).optional().describe("Of the text (default yaml)."),
  })
  .refine(({ plan, plan_text }) => plan === undefined || plan_text === undefined, {
    message: "give either plan or plan_text",
  })
  .refine(({ phases, reach }) => reach !== "update" || phases.length === 0, {
    message: "update concerns the whole run; name no phases",
  })
  .refine(
    ({ phases, reach, variables, plan, plan_text }) =>
      reach === "update" || phases.length > 0 || (variables ?? plan ?? plan_text) !== undefined,
    { message: "nothing says what to run again: name phases, or ask for update" },
  );
export type RerunRequest = z.infer<typeof RerunRequestSchema>;

/** What a rerun runs, or would run. */
export const RerunResultSchema = z.object({
  run_id: RunIdSchema,
  status: RunStatusSchema,
  is_preview: z.boolean().describe("Whether nothing was started."),
  steps: z
    .array(z.object({ phase: z.string(), kind: z.enum(["run", "if_stale"]), why: z.string() }).readonly())
    .readonly()
    .describe("`if_stale`: runs only if what it was made from has changed by then."),
  kept: z
    .array(z.object({ phase: z.string(), revision: count, stale: z.boolean() }).readonly())
    .readonly()
    .describe("Phases whose accepted output is used as it is."),
  problems: z
    .array(z.object({ code: z.string(), phase: z.string().nullable(), message: z.string() }).readonly())
    .readonly()
    .describe("Why it cannot be done; only in a preview."),
  plan_diff: z
    .object({
      changed: z.record(z.string(), z.string()),
      rescheduled: z.record(z.string(), z.string()),
      removed: z.array(z.string()).readonly(),
    })
    .nullable()
    .describe("How the changed plan differs; null without one."),
});
export type RerunResult = z.infer<typeof RerunResultSchema>;

/** What the plan of a run was compiled from. */
export const RunVariablesSchema = z.strictObject({
  is_known: z.boolean().describe("Whether it is known what the plan was compiled from; else there are no variables."),
  variables: z.array(VariableDocumentSchema),
  values: z.record(z.string(), z.string()).describe("Values that were given; the others have their defaults."),
});
export type RunVariables = z.infer<typeof RunVariablesSchema>;

/** Whose revisions to list. */
export const HistoryQuerySchema = z.strictObject({ phase: InstanceIdSchema.optional() });

/** A revision of a phase: what `fanfold history --json` prints. */
export const RevisionSchema = z.object({
  phase: z.string(),
  revision: count,
  status: z.enum([...PhaseStatusSchema.options, "superseded"]),
  matrix: z.record(z.string(), z.string()).readonly(),
  dependencies: z.array(PhaseDependencySchema).readonly(),
  artifacts: z
    .array(z.object({ name: ArtifactNameSchema, sha256: z.string(), size_bytes: count }).readonly())
    .readonly(),
  artifact_ids: z.array(z.string()).readonly().describe("Ids of these artifacts, in the same order."),
  summary: z.string().nullable().describe("Such as `3 shards, 1 reused, 34 B`, as far as it is known."),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  stale: z.boolean(),
  stale_cause: z.string().nullable().describe("Such as `context r2 → r3`."),
  error: z.string().nullable(),
});
export type RevisionDocument = z.infer<typeof RevisionSchema>;

/** Which revisions to compare. */
export const DiffQuerySchema = z.strictObject({
  phase: InstanceIdSchema.optional().describe("By default each phase that has two revisions."),
  from: revision.optional().describe("By default the one before `to`."),
  to: revision.optional().describe("By default the latest."),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe("Most records of each kind."),
});

/** How an artifact of one revision differs from that of another. */
export const RevisionDiffSchema = z.strictObject({
  phase: z.string(),
  from: count,
  to: count,
  name: z.string(),
  is_same: z.boolean(),
  records: z
    .strictObject({
      added: z.strictObject({ count, first: z.array(z.strictObject({ key: z.string(), record })) }),
      removed: z.strictObject({ count, first: z.array(z.strictObject({ key: z.string(), record })) }),
      changed: z.strictObject({
        count,
        first: z.array(
          z.strictObject({
            key: z.string(),
            before: record,
            after: record,
            fields: z.array(z.string()).readonly().describe("Fields that differ; empty where one is no object."),
          }),
        ),
      }),
      unchanged: count,
    })
    .nullable()
    .describe("Of records: how many differ, and the first ones."),
  patch: z.string().nullable().describe("Of other text: a unified diff, or the beginning of a long one."),
  remark: z.string().nullable().describe("Why the contents were not compared."),
});
export type RevisionDiff = z.infer<typeof RevisionDiffSchema>;
