import type { EventLevel, EventName } from "@fanfold/schemas";

/** Loudness of each event; a new event does not compile without one. */
const LEVELS: Readonly<Record<EventName, EventLevel>> = {
  run_queued: "info",
  run_started: "info",
  run_succeeded: "info",
  run_failed: "error",
  run_cancelled: "warn",
  run_paused: "info",
  run_resumed: "info",
  run_reopened: "info",
  phase_blocked: "warn",
  phase_started: "info",
  phase_progress: "debug",
  phase_succeeded: "info",
  phase_failed: "error",
  phase_skipped: "warn",
  phase_cancelled: "warn",
  phase_reopened: "info",
  phase_repaired: "warn",
  phase_rerun: "info",
  phase_invalidated: "warn",
  phase_refreshed: "info",
  phase_reused: "info",
  phase_spawned: "info",
  shard_started: "debug",
  shard_retry: "warn",
  shard_iterated: "info",
  shard_timeout: "warn",
  shard_lost: "warn",
  shard_given_back: "info",
  shard_repaired: "warn",
  shard_spawned: "info",
  shard_resumed: "info",
  shard_reused: "debug",
  shard_succeeded: "debug",
  shard_failed: "error",
  shard_cancelled: "warn",
  artifact_persisted: "info",
  artifact_rejected: "error",
  plan_aborted: "error",
  approval_requested: "info",
  approval_given: "info",
  worker_joined: "info",
  worker_left: "info",
};

/** How loud an event is: `error` needs a person, `warn` was dealt with, `debug` is one of very many. */
export function eventLevel(event: EventName): EventLevel {
  return LEVELS[event];
}
