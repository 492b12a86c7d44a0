import { z } from "zod";
import { Sha256Schema } from "./artifact.ts";
import { InstanceIdSchema } from "./ids.ts";

/** An artifact as it was handed to an attempt. */
export const ConsumedInputSchema = z.strictObject({
  name: z.string(),
  /** Phase that made it, and in which revision. */
  phase: InstanceIdSchema,
  revision: z.int().min(0),
  sha256: Sha256Schema,
  size_bytes: z.int().min(0),
});
export type ConsumedInput = z.infer<typeof ConsumedInputSchema>;

/** The artifacts that attempts of a phase were given together. Attempts name the set by its id. */
export const ConsumptionSchema = z.strictObject({
  artifacts: z.array(ConsumedInputSchema).min(1),
  /** Who was given them first: a shard's attempt, or (-1) a merge. */
  shard: z.int().min(-1),
  attempt: z.int().min(1),
  at_ms: z.int(),
});
export type Consumption = z.infer<typeof ConsumptionSchema>;
