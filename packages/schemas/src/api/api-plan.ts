import { z } from "zod";
import { RunIdSchema } from "../ids.ts";

const selection = z.array(z.string().min(1).max(300)).max(20_000).optional();

const PlanRequestFields = z.strictObject({
  plan: z.record(z.string(), z.json()).optional().describe("The plan as data."),
  plan_text: z.string().min(1).optional().describe("The plan as text; then problems have lines and columns."),
  format: z.enum(["yaml", "json"]).optional().describe("Of the text (default yaml)."),
  template: z.string().min(1).max(300).optional().describe("A template: `NAME`, or `NAME@VERSION`."),
  variables: z.record(z.string(), z.string()).optional(),
  run_id: RunIdSchema.optional().describe("Idempotency key: submitting it again gives the run that is there."),
  base_dir: z
    .string()
    .max(1_000)
    .optional()
    .describe("Directory of the plan's scripts, relative to the workers' workspaces (default `.`)."),
  only: selection,
  skip: selection,
  from: selection,
  to: selection,
  exclude: selection.describe("Phases or stages to take out; dependents inherit what they depended on."),
});

type Sources = Pick<z.infer<typeof PlanRequestFields>, "plan" | "plan_text" | "template">;

function hasOneSource({ plan, plan_text, template }: Sources): boolean {
  return [plan, plan_text, template].filter((one) => one !== undefined).length === 1;
}

const ONE_SOURCE = { message: "give one of plan, plan_text and template" };

/** A plan as data, as text or by the name of its template, what its variables are, and what of it takes part. */
export const PlanRequestSchema = PlanRequestFields.refine(hasOneSource, ONE_SOURCE);
export type PlanRequest = z.infer<typeof PlanRequestSchema>;

/** The same, to be checked only. */
export const PlanCheckRequestSchema = z
  .strictObject({
    ...PlanRequestFields.shape,
    as_template: z.boolean().default(false).describe("Checks it as a template to be kept: variables may be left open."),
  })
  .refine(hasOneSource, ONE_SOURCE);
export type PlanCheckRequest = z.infer<typeof PlanCheckRequestSchema>;

/** One thing that is wrong, or doubtful, in a plan. */
export const PlanProblemDocumentSchema = z.strictObject({
  severity: z.enum(["error", "warning"]),
  code: z.string(),
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])),
  file: z.string(),
  line: z.int().min(0).describe("From 1; 0 for a plan without text."),
  column: z.int().min(0).describe("From 1, in UTF-16 units; 0 for a plan without text."),
  frame: z.string(),
  hint: z.string().optional(),
});

/** A variable that a plan declares. */
export const VariableDocumentSchema = z.strictObject({
  name: z.string(),
  type: z.enum(["string", "number", "boolean", "enum"]),
  default: z.string().nullable(),
  description: z.string().nullable(),
  is_required: z.boolean().describe("Whether it has to be given a value."),
  options: z.array(z.string()).optional().describe("Values of an enum."),
  pattern: z.string().optional(),
});
export type VariableDocument = z.infer<typeof VariableDocumentSchema>;

/** What is wrong with a plan, and what it would run. */
export const PlanCheckSchema = z.strictObject({
  ok: z.boolean(),
  problems: z.array(PlanProblemDocumentSchema),
  warnings: z.array(PlanProblemDocumentSchema),
  variables: z.array(VariableDocumentSchema),
  phases: z
    .array(
      z.strictObject({
        phase: z.string(),
        name: z.string(),
        pool: z.string(),
        takes_part: z.boolean(),
        depends_on: z.array(z.string()),
      }),
    )
    .describe("Empty for a plan that is not valid."),
  phase_ids: z
    .array(z.string())
    .describe("Ids of all its phases, as `exclude` takes them, also of a plan that is not valid."),
});
export type PlanCheck = z.infer<typeof PlanCheckSchema>;

/** Answer to a submitted plan. */
export const SubmitResultSchema = z.strictObject({
  run_id: z.string(),
  is_new: z.boolean().describe("False: a run of this id was there, and nothing was changed."),
  warnings: z.array(PlanProblemDocumentSchema),
});
export type SubmitResult = z.infer<typeof SubmitResultSchema>;
