import { z } from "zod";
import { TemplateNameSchema, TemplateVersionSchema } from "../template.ts";
import { PlanProblemDocumentSchema, VariableDocumentSchema } from "./api-plan.ts";

/** A template. */
export const TemplateParamsSchema = z.strictObject({ name: TemplateNameSchema });

/** Which version of a template. */
export const TemplateQuerySchema = z.strictObject({
  version: TemplateVersionSchema.optional().describe("By default the one added last; to remove: all of them."),
});

/** A version of a template: what `fanfold template ls --json` prints of it. */
export const TemplateDocumentSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  phase_count: z.int().min(0),
  is_built_in: z.boolean(),
  added_at_ms: z.int().nullable().describe("Unix ms; null for a built-in one."),
});
export type TemplateDocument = z.infer<typeof TemplateDocumentSchema>;

/** A version of a template with what a form about it needs. */
export const TemplateDetailSchema = z.strictObject({
  ...TemplateDocumentSchema.shape,
  versions: z.array(z.string()).describe("All versions of it, the one added last first."),
  variables: z.array(VariableDocumentSchema),
  phases: z.array(z.string()).describe("Ids of its phases, as `exclude` takes them."),
  plan: z.string().describe("The plan, as it was written."),
});
export type TemplateDetail = z.infer<typeof TemplateDetailSchema>;

/** A plan to keep as a template, as data or as text. */
export const TemplateRequestSchema = z
  .strictObject({
    name: z.string().max(300).optional().describe("By default the plan's `plan_id`."),
    plan: z.record(z.string(), z.json()).optional().describe("The plan as data."),
    plan_text: z.string().min(1).optional().describe("The plan as text, which is kept as it is."),
    format: z.enum(["yaml", "json"]).optional().describe("Of the text (default yaml)."),
    variables: z
      .record(z.string(), z.string())
      .optional()
      .describe("Values to check the plan with; a sample stands for the others."),
  })
  .refine(({ plan, plan_text }) => (plan === undefined) !== (plan_text === undefined), {
    message: "give either plan or plan_text",
  });
export type TemplateRequest = z.infer<typeof TemplateRequestSchema>;

/** A version that was added. */
export const TemplateAddedSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  is_new: z.boolean().describe("False: it was there with the same plan."),
  warnings: z.array(PlanProblemDocumentSchema),
});

/** What was removed. */
export const TemplateRemovedSchema = z.strictObject({ name: z.string(), versions: z.array(z.string()) });
