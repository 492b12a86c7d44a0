import { z } from "zod";
import { InstanceIdSchema, RunIdSchema } from "./ids.ts";

const phaseRef = { run_id: RunIdSchema, phase: InstanceIdSchema, revision: z.int().min(1) };

/** Data of a job on a `shards.<pool>` queue: one shard. */
export const ShardJobSchema = z.strictObject({ ...phaseRef, shard: z.int().min(0), shard_count: z.int().min(1) });
export type ShardJob = z.infer<typeof ShardJobSchema>;

/** Data of a job on a `shards.<pool>` queue: a block, which is the first try of `size` shards from `shard` on. */
export const BlockJobSchema = ShardJobSchema.extend({ size: z.int().min(2) });
export type BlockJob = z.infer<typeof BlockJobSchema>;

/** Data of a job on the `aggregate` queue. */
export const AggregateJobSchema = z.strictObject({ ...phaseRef, shard_count: z.int().min(0) });
export type AggregateJob = z.infer<typeof AggregateJobSchema>;

/** Data of a job on the `scheduler` queue; the job's name says which. */
export const SchedulerJobSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("start"), run_id: RunIdSchema }),
  z.strictObject({ kind: z.literal("settle"), ...phaseRef }),
  z.strictObject({ kind: z.literal("report"), ...phaseRef }),
  /** A shard has spawned, and waits for its children. */
  z.strictObject({ kind: z.literal("spawn"), ...phaseRef, shard: z.int().min(0) }),
  /** The run has had its time, which was to end at `at_ms` (Unix ms). */
  z.strictObject({ kind: z.literal("timeout"), run_id: RunIdSchema, at_ms: z.int().optional() }),
  /** The phase holds the lock it waited for. */
  z.strictObject({ kind: z.literal("open"), ...phaseRef }),
  /** The phase has waited long enough for its lock. */
  z.strictObject({ kind: z.literal("lock_timeout"), ...phaseRef }),
  /** The approval was to be given by `at_ms` (Unix ms). */
  z.strictObject({ kind: z.literal("approval_timeout"), ...phaseRef, at_ms: z.int() }),
  z.strictObject({ kind: z.literal("sweep") }),
  /** Remove the ended runs beyond these limits, and content that no run refers to. */
  z.strictObject({
    kind: z.literal("collect"),
    keep_runs: z.int().min(0).optional(),
    keep_days: z.number().min(0).optional(),
  }),
]);
export type SchedulerJob = z.infer<typeof SchedulerJobSchema>;
