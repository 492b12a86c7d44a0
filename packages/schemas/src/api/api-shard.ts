import { z } from "zod";
import { AttemptStatusSchema, FailureSchema, ReuseSourceSchema } from "../run.ts";

const timeMs = z.int().nullable();
const count = z.int().min(0);

/** Where a shard stands. `waiting`: not started, or to be started again at once. `spawned`: waits for what it spawned. */
export const ShardStandSchema = z.enum([
  "waiting",
  "running",
  "backoff",
  "spawned",
  "succeeded",
  "failed",
  "cancelled",
]);
export type ShardStand = z.infer<typeof ShardStandSchema>;

/** A shard in a table. */
export const ShardRowSchema = z.strictObject({
  shard: count,
  status: ShardStandSchema,
  attempt: z.int().min(1).nullable().describe("Latest attempt."),
  worker: z.string().nullable(),
  started_at_ms: timeMs,
  finished_at_ms: timeMs,
  duration_ms: z.int().min(0).nullable().describe("Of the latest attempt, so far while it runs."),
  attempts: count.describe("Attempts so far."),
  failure: FailureSchema.nullable(),
  job_url: z.string().nullable().describe("The shard's job in the queue board, while there is one."),
});
export type ShardRow = z.infer<typeof ShardRowSchema>;

/** A page of a phase's shards. */
export const ShardPageSchema = z.strictObject({
  shards: z.array(ShardRowSchema),
  next_cursor: z.string().nullable(),
  total: count.describe("Shards that fit the filter."),
});
export type ShardPage = z.infer<typeof ShardPageSchema>;

/** An attempt of a shard. */
export const AttemptDocumentSchema = z.strictObject({
  attempt: z.int().min(1),
  status: AttemptStatusSchema,
  worker: z.string().nullable(),
  started_at_ms: timeMs,
  finished_at_ms: timeMs,
  duration_ms: z.int().min(0).nullable(),
  failure: FailureSchema.nullable(),
});
export type AttemptDocument = z.infer<typeof AttemptDocumentSchema>;

/** A shard with all its attempts, oldest first. */
export const ShardDetailSchema = z.strictObject({
  ...ShardRowSchema.shape,
  run_id: z.string(),
  phase: z.string(),
  revision: count,
  until_ms: timeMs.describe("End of its backoff."),
  history: z.array(AttemptDocumentSchema),
  reused_from: ReuseSourceSchema.nullable().describe("Where its output was made, when it was reused."),
  output: z.strictObject({ size_bytes: count, sha256: z.string() }).nullable(),
  spawned: z
    .array(
      z.strictObject({
        child: z.string().describe("Id of the phase."),
        attempt: z.int().min(1),
        key: z.string(),
        reason: z.string().nullable(),
      }),
    )
    .describe("Phases its attempts spawned, oldest first."),
});
export type ShardDetail = z.infer<typeof ShardDetailSchema>;

/** A piece of an attempt's output. */
export const LogPageSchema = z.strictObject({
  text: z.string(),
  offset: count.describe("Byte at which the text begins."),
  next_offset: count.describe("Byte to go on at."),
  size_bytes: count.describe("Bytes there are now."),
  is_complete: z.boolean().describe("Whether the attempt is over: nothing more will come."),
});
export type LogPage = z.infer<typeof LogPageSchema>;
