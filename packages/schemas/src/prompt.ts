import { z } from "zod";

/** Text that a phase's work gets as a file, for an agent or a model. */
export const PromptSchema = z.string().min(1).max(200_000);

/** What an attempt after a failure is told. */
export const RetryStrategySchema = z.strictObject({
  include_context: z
    .boolean()
    .optional()
    .describe("Whether the prompt of a retry says how the last attempt failed (default false)."),
  context_instruction: z
    .string()
    .min(1)
    .max(10_000)
    .optional()
    .describe("What the retry is told to do with that; stands between the prompt and the failure."),
});
