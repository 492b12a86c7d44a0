import type { EventName, JournalLine, PhaseStatus } from "@fanfold/schemas";
import { readNumber, readText } from "./event-data.ts";
import { problemOf } from "./problem-of.ts";
import { type ArtifactView, NO_SHARDS, type PhaseView, type ShardView } from "./run-view.ts";

/** Folds one kind of event into the view of the phase it belongs to. */
export type PhaseReducer = (phase: PhaseView, line: JournalLine) => PhaseView;

/** What each event of a phase itself, or of one of its artifacts, means for the phase's view. */
export const PHASE_REDUCERS = {
  phase_blocked: (phase, line) => ({ ...phase, problem: problemOf(line, false) }),
  phase_started: started,
  phase_progress: (phase) => phase,
  phase_succeeded: succeeded,
  phase_failed: failed,
  phase_skipped: (phase, line) => ({ ...ended(phase, line, "skipped"), cause: causeOf(line) }),
  phase_cancelled: (phase, line) => ({ ...ended(phase, line, "cancelled"), cause: causeOf(line) }),
  phase_reopened: reopened,
  phase_invalidated: (phase) => ({ ...phase, is_stale: true }),
  phase_reused: succeeded,
  artifact_persisted: persisted,
  artifact_rejected: (phase, line) => ({ ...phase, problem: problemOf(line, true) }),
} satisfies Partial<Record<EventName, PhaseReducer>>;

/** A later revision counts its shards from nothing; the same one only learns how many there are. */
function started(phase: PhaseView, line: JournalLine): PhaseView {
  const revision = readNumber(line.data, "revision") ?? phase.revision;
  const isAgain = phase.revision > 0 && revision > phase.revision;
  const before = isAgain ? { ...phase, shards: NO_SHARDS, open: new Map<number, ShardView>() } : phase;
  const total = readNumber(line.data, "shard_count") ?? before.shards.total;
  return {
    ...before,
    status: "running",
    revision,
    shards: { ...before.shards, total: Math.max(total, before.shards.total) },
    started_at_ms: isAgain ? timeOf(line) : (before.started_at_ms ?? timeOf(line)),
    finished_at_ms: null,
    cause: null,
    is_stale: false,
    problem: isAgain ? null : before.problem,
  };
}

/** A phase that is over retries nothing: shards that were backing off go back to those that wait. */
function ended(phase: PhaseView, line: JournalLine, status: PhaseStatus): PhaseView {
  for (const [shard, { status: shardStatus }] of phase.open) if (shardStatus === "backoff") phase.open.delete(shard);
  const revision = readNumber(line.data, "revision") ?? phase.revision;
  return { ...phase, status, revision, shards: { ...phase.shards, backoff: 0 }, finished_at_ms: timeOf(line) };
}

function succeeded(phase: PhaseView, line: JournalLine): PhaseView {
  return { ...ended(phase, line, "succeeded"), is_stale: false, problem: null };
}

/** The failure of a shard or a merge says more than the failure of the phase that follows from it. */
function failed(phase: PhaseView, line: JournalLine): PhaseView {
  const problem = phase.problem?.is_final === true ? phase.problem : problemOf(line, true);
  return { ...ended(phase, line, "failed"), problem };
}

/**
 * A phase that had started carries on; one that never got so far is pending again. Cancelled shards wait
 * again, failed ones count as failed until they are tried.
 */
function reopened(phase: PhaseView, line: JournalLine): PhaseView {
  const carriesOn = phase.started_at_ms !== null || readText(line.data, "cause_phase") === phase.phase;
  return {
    ...phase,
    status: carriesOn ? "running" : "pending",
    shards: { ...phase.shards, cancelled: 0 },
    finished_at_ms: null,
    cause: null,
    problem: null,
  };
}

/** Artifacts of single shards are not kept: there may be as many as there are shards. */
function persisted(phase: PhaseView, line: JournalLine): PhaseView {
  const name = readText(line.data, "name");
  const sha256 = readText(line.data, "sha256");
  if (line.shard !== null || name === undefined || sha256 === undefined) return phase;
  const artifact: ArtifactView = { name, sha256, size_bytes: readNumber(line.data, "size_bytes") ?? 0 };
  return { ...phase, artifacts: [...phase.artifacts.filter((other) => other.name !== name), artifact] };
}

function causeOf({ data }: JournalLine): PhaseView["cause"] {
  const code = readText(data, "cause");
  return code === undefined ? null : { code, phase: readText(data, "cause_phase") ?? null };
}

function timeOf(line: JournalLine): number {
  return Date.parse(line.timestamp);
}
