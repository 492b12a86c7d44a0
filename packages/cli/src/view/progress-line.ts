import type { PhaseView, RunView } from "@fanfold/core";
import type { EventName, JournalLine } from "@fanfold/schemas";
import { approveCommand } from "./approve-commands.ts";
import { createPalette, renderLine, type TextStyle } from "./text-style.ts";

/** Phases up to this many shards tell of each of them, also of those that just work. */
const MAX_SHARDS_TOLD = 20;

/** Whether an event gets a line, given the phase it belongs to. */
type Told = (phase: PhaseView | undefined, line: JournalLine) => boolean;

const always: Told = () => true;
const never: Told = () => false;
const inSmallPhase: Told = (phase) => phase !== undefined && phase.shards.total <= MAX_SHARDS_TOLD;
/** A run of a part of its plan leaves many phases out, and whoever asked for it knows. */
const unlessLeftOut: Told = (phase) => phase?.cause?.code !== "not_selected";
const ofRun: Told = (phase, line) => line.shard === null && phase?.has_dependents !== true;

const TOLD: Readonly<Record<EventName, Told>> = {
  run_queued: always,
  run_started: always,
  run_succeeded: always,
  run_failed: always,
  run_cancelled: always,
  run_paused: always,
  run_resumed: always,
  run_reopened: always,
  phase_blocked: always,
  phase_started: always,
  phase_progress: never,
  phase_succeeded: always,
  phase_failed: always,
  phase_skipped: unlessLeftOut,
  phase_cancelled: always,
  phase_reopened: always,
  phase_repaired: always,
  phase_rerun: always,
  phase_invalidated: always,
  phase_refreshed: always,
  phase_reused: always,
  phase_spawned: always,
  shard_started: inSmallPhase,
  shard_retry: always,
  shard_iterated: always,
  // The retry or the failure that follows says that it was a timeout.
  shard_timeout: never,
  shard_lost: always,
  shard_given_back: always,
  shard_repaired: always,
  shard_spawned: always,
  // the attempt that follows at once says so
  shard_resumed: never,
  shard_reused: inSmallPhase,
  shard_succeeded: inSmallPhase,
  shard_failed: always,
  shard_cancelled: inSmallPhase,
  artifact_persisted: ofRun,
  artifact_rejected: always,
  plan_aborted: always,
  approval_requested: always,
  approval_given: always,
  worker_joined: never,
  worker_left: never,
};

/**
 * The line that tells of an event where there is no terminal to redraw, or `undefined` when it is not worth one.
 *
 * @param view view of the run with this event in it
 */
export function progressLine(line: JournalLine, view: RunView, style: TextStyle = {}): string | undefined {
  const phase = line.phase === null ? undefined : view.phases.get(line.phase);
  if (!TOLD[line.event](phase, line)) return undefined;
  const palette = createPalette(style.color ?? false);
  return renderLine(
    [
      { text: `${line.timestamp.slice(11, 19)}Z  `, paint: palette.faint },
      { text: `${line.message}${howToAnswer(line, view)}`, paint: palette.level(line.level) },
    ],
    style.columns,
  );
}

function howToAnswer({ event, phase }: JournalLine, { run_id }: RunView): string {
  return event === "approval_requested" && phase !== null ? `; to give it: ${approveCommand(run_id, phase)}` : "";
}
