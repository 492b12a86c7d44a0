import { z } from "zod";
import { type Json, JsonSchema } from "./json.ts";

/** Every event of the journal, in the order a run usually meets them. */
export const EVENT_NAMES = [
  "run_queued",
  "run_started",
  "run_succeeded",
  "run_failed",
  "run_cancelled",
  "run_paused",
  "run_resumed",
  "run_reopened",
  "phase_blocked",
  "phase_started",
  "phase_progress",
  "phase_succeeded",
  "phase_failed",
  "phase_skipped",
  "phase_cancelled",
  "phase_reopened",
  "phase_repaired",
  "phase_rerun",
  "phase_invalidated",
  "phase_refreshed",
  "phase_reused",
  "phase_spawned",
  "shard_started",
  "shard_retry",
  "shard_iterated",
  "shard_timeout",
  "shard_lost",
  "shard_given_back",
  "shard_repaired",
  "shard_spawned",
  "shard_resumed",
  "shard_reused",
  "shard_succeeded",
  "shard_failed",
  "shard_cancelled",
  "artifact_persisted",
  "artifact_rejected",
  "plan_aborted",
  "approval_requested",
  "approval_given",
  "worker_joined",
  "worker_left",
] as const;

/** Name of an event. */
export const EventNameSchema = z.enum(EVENT_NAMES);
export type EventName = z.infer<typeof EventNameSchema>;

/** How loud an event is. */
export const EventLevelSchema = z.enum(["debug", "info", "warn", "error"]);
export type EventLevel = z.infer<typeof EventLevelSchema>;

/** One line of a run's journal. `seq` counts from 1 without gaps. */
export const JournalLineSchema = z.strictObject({
  seq: z.int().min(1),
  timestamp: z.iso.datetime(),
  level: EventLevelSchema,
  event: EventNameSchema,
  run_id: z.string(),
  phase: z.string().nullable(),
  shard: z.int().min(0).nullable(),
  attempt: z.int().min(1).nullable(),
  message: z.string(),
  data: z.record(z.string(), JsonSchema),
});
export type JournalLine = z.infer<typeof JournalLineSchema>;

/** An event that has no place in a journal yet: the store gives it `seq` and the time. */
export interface DraftEvent {
  readonly event: EventName;
  readonly phase?: string;
  readonly shard?: number;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, Json>>;
}
