import { z } from "zod";

/** Name of a plan template. */
export const TemplateNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, "use letters, digits, '_', '-' and '.'; at most 128");

/** Version of a plan that is a template: `NAME@VERSION` has to say where one ends. */
export const TemplateVersionSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/, "use letters, digits, '_', '-', '.' and '+'; at most 64");

/** What is known of one version of a template, without its text. */
export const TemplateInfoSchema = z.strictObject({
  name: TemplateNameSchema,
  version: TemplateVersionSchema,
  description: z.string(),
  phase_count: z.int().min(1),
  sha256: z.string(),
  size_bytes: z.int().min(0),
  added_at_ms: z.int(),
  /** HMAC of the text, where the deployment has a key. */
  signature: z.string().optional(),
  /** Grows with each version that is added; the latest version of a template is the one added last. */
  seq: z.int().min(0),
});
export type TemplateInfo = z.infer<typeof TemplateInfoSchema>;
