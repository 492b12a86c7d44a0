import { z } from "zod";
import { InstanceIdSchema, RunIdSchema } from "../ids.ts";

const count = z.int().min(0);
const timeMs = z.int().nullable();

/** A cap: what it is of, how much it allows, who fills it, and how much waits. */
export const CapSchema = z.object({
  kind: z.enum(["run", "phase", "key", "pool"]),
  name: z.string().describe("Run, `<run>/<phase>`, key or pool."),
  limit: count.nullable().describe("Shards at once; null for a pool that has only a rate."),
  rate: z.object({ max: count, duration_ms: count }).readonly().nullable(),
  is_set: z.boolean().describe("Whether it was set for the deployment, not by a plan."),
  in_use: count,
  waiting: count.describe("Shards that wait; of a key, the runs that do."),
  holders: z
    .array(
      z
        .object({
          run_id: z.string(),
          phase: z.string(),
          shard: count,
          attempt: z.int().nullable(),
          worker: z.string().nullable(),
          since_ms: timeMs,
        })
        .readonly(),
    )
    .readonly(),
});

/** Whose caps to list; those of all live runs when empty. */
export const CapQuerySchema = z.strictObject({ run: RunIdSchema.optional() });

/** Answer to the removal of a run. */
export const RemovedSchema = z.object({
  run_id: RunIdSchema,
  is_removed: z.literal(true),
  keys: count.describe("Keys that are gone from Redis."),
  files: count.describe("Files of the artifact store that nothing else referred to, and that are gone."),
  bytes: count.describe("Their size."),
  remark: z.string().nullable().describe("Why no file was removed; null when nothing was in the way."),
});
export type RemovedDocument = z.infer<typeof RemovedSchema>;

/** Why a phase, or some of its shards, are not running. */
export const WhySchema = z.object({
  phase: z.string(),
  shards: z
    .object({ count, first: z.array(count).readonly() })
    .readonly()
    .nullable()
    .describe("Shards it is about, the first ones by index; null for the phase as a whole."),
  code: z.string(),
  why: z.string(),
});

/** What to explain; everything that does not run when empty. */
export const WhyQuerySchema = z.strictObject({
  phase: InstanceIdSchema.optional(),
  shard: z.coerce.number().int().min(0).optional(),
});
