import { z } from "zod";

/** Longest comment on an approval, in characters. */
export const MAX_COMMENT_CHARS = 2_000;

/** What somebody answers to a phase that asks for an approval. */
export const ApprovalAnswerSchema = z.strictObject({
  approved: z.boolean(),
  comment: z.string().max(MAX_COMMENT_CHARS).default(""),
  revision: z
    .int()
    .min(1)
    .optional()
    .describe("Revision the answer is about: refused when another one is asked about."),
});
