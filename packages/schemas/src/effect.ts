import { z } from "zod";
import { InstanceIdSchema } from "./ids.ts";

const phaseRef = { phase: InstanceIdSchema, revision: z.int().min(1) };

/** What must be done outside once a decision is committed; doing it twice is harmless. */
export const EffectSchema = z.discriminatedUnion("kind", [
  /** Expand a phase and put its first shards on their queue. */
  z.strictObject({ kind: z.literal("open_phase"), ...phaseRef }),
  /** Take away what is left of a making that failed and is begun anew. `shards`: how many it had. */
  z.strictObject({ kind: z.literal("discard_making"), ...phaseRef, shards: z.int().min(0) }),
  /** Go on releasing shards of a phase that was stopped or failed. */
  z.strictObject({ kind: z.literal("resume_release"), ...phaseRef }),
  /** Give back the lock of a phase that is over. */
  z.strictObject({ kind: z.literal("release_lock"), ...phaseRef }),
  /** Look whether what a shard spawned is over, and let the shard go on. */
  z.strictObject({ kind: z.literal("resume_spawner"), ...phaseRef, shard: z.int().min(0) }),
  /** End the run when it has had its time, at `at_ms` (Unix ms). */
  z.strictObject({ kind: z.literal("schedule_timeout"), delay_ms: z.int().min(1), at_ms: z.int().optional() }),
  /** Fail an approval that nobody has given by `at_ms` (Unix ms). */
  z.strictObject({ kind: z.literal("schedule_approval_timeout"), ...phaseRef, at_ms: z.int() }),
  /** Release nothing more of the run; `kill` also ends what runs. */
  z.strictObject({ kind: z.literal("stop_release"), kill: z.boolean() }),
  /** Take back what is on a queue of a paused run and was not started. */
  z.strictObject({ kind: z.literal("pause_release") }),
  /** Release shards of a run that was paused. */
  z.strictObject({ kind: z.literal("resume_run") }),
  /** The run is over: take its left-over jobs off the queues. */
  z.strictObject({ kind: z.literal("finish_run") }),
]);
export type Effect = z.infer<typeof EffectSchema>;
