import type { EventName, JournalLine, PhaseStatus } from "@fanfold/schemas";
import { causeClause, missingClause } from "./cause-clause.ts";
import { readNumber, readText, readTexts } from "./event-data.ts";
import { newerInput } from "./newer-input.ts";
import { problemOf } from "./problem-of.ts";
import { readMetrics } from "./progress-data.ts";
import { NO_PROGRESS, withReported } from "./progress-phase.ts";
import { type ArtifactView, type CauseView, NO_SHARDS, type PhaseView, type ShardView } from "./run-view.ts";

const FRESH = { is_stale: false, stale_cause: null } as const;

/** Folds one kind of event into the view of the phase it belongs to. */
export type PhaseReducer = (phase: PhaseView, line: JournalLine) => PhaseView;

/** What each event of a phase itself, or of one of its artifacts, means for the phase's view. */
export const PHASE_REDUCERS = {
  phase_blocked: blocked,
  phase_started: started,
  phase_progress: progressed,
  phase_succeeded: succeeded,
  phase_failed: failed,
  phase_skipped: (phase, line) => ({ ...ended(phase, line, "skipped"), cause: causeOf(line) }),
  phase_cancelled: (phase, line) => ({ ...ended(phase, line, "cancelled"), cause: causeOf(line) }),
  phase_reopened: reopened,
  phase_repaired: (phase) => phase,
  phase_rerun: (phase, line) => ({ ...resume(phase, line), status: "pending", problem: null }),
  phase_invalidated: (phase, line) => ({ ...phase, is_stale: true, stale_cause: newerInput(line.data) ?? null }),
  phase_refreshed: (phase) => ({ ...phase, ...FRESH }),
  phase_reused: reused,
  // what it makes is its spawner's, not an output of the run
  phase_spawned: (phase) => ({ ...phase, has_dependents: true }),
  approval_requested: asked,
  approval_given: (phase) => ({ ...phase, approval: null }),
  artifact_persisted: persisted,
  artifact_rejected: (phase, line) => ({ ...phase, problem: problemOf(line, true) }),
} satisfies Partial<Record<EventName, PhaseReducer>>;

/** A later revision, or another go at the same one, counts its shards from nothing; else only their number is new. */
function started(phase: PhaseView, line: JournalLine): PhaseView {
  const revision = readNumber(line.data, "revision") ?? phase.revision;
  const turn = readNumber(line.data, "turn") ?? phase.turn;
  const isAgain = phase.revision > 0 && (revision > phase.revision || turn > phase.turn);
  const before = isAgain ? afresh(phase) : phase;
  const total = readNumber(line.data, "shard_count");
  const resumed = resume(before, line);
  return {
    ...resumed,
    status: "running",
    revision,
    turn,
    shards: { ...before.shards, total: Math.max(total ?? 0, before.shards.total) },
    progress: { ...before.progress, is_cut: before.progress.is_cut || total !== undefined },
    started_at_ms: before.started_at_ms ?? timeOf(line),
    ...FRESH,
    problem: before.status === "blocked" ? null : before.problem,
  };
}

/** What adds up over revisions stays; the rest starts from nothing. */
function afresh(phase: PhaseView): PhaseView {
  return {
    ...phase,
    shards: NO_SHARDS,
    open: new Map<number, ShardView>(),
    progress: NO_PROGRESS,
    started_at_ms: null,
    finished_at_ms: null,
    idle_ms: 0,
    tolerated_shards: 0,
    reused_shards: 0,
    problem: null,
  };
}

/** The phase with its end undone: the time in which it was over does not count. */
export function resume(phase: PhaseView, line: JournalLine): PhaseView {
  const { started_at_ms: startedAtMs, finished_at_ms: finishedAtMs } = phase;
  const idleMs = startedAtMs === null || finishedAtMs === null ? 0 : Math.max(0, timeOf(line) - finishedAtMs);
  return { ...phase, finished_at_ms: null, idle_ms: phase.idle_ms + idleMs, cause: null, missing: [] };
}

/** It waits for a person from now on. */
function asked(phase: PhaseView, line: JournalLine): PhaseView {
  const message = readText(line.data, "message") ?? null;
  const until_ms = readNumber(line.data, "until_ms") ?? null;
  return { ...phase, approval: { message, since_ms: timeOf(line), until_ms } };
}

/** A late report of an earlier revision changes nothing. */
function progressed(phase: PhaseView, line: JournalLine): PhaseView {
  const amounts = readMetrics(line.data);
  if (amounts.length === 0 || (readNumber(line.data, "revision") ?? phase.revision) < phase.revision) return phase;
  return { ...phase, progress: withReported(phase.progress, amounts) };
}

/** A blocked phase is over: what it lacks can only come from elsewhere. */
function blocked(phase: PhaseView, line: JournalLine): PhaseView {
  const missing = readTexts(line.data, "missing");
  const why = readText(line.data, "why") ?? missingClause(missing) ?? causeClause("missing_dependency", null);
  const problem = { ...problemOf(line, true), error_code: "missing_dependency", why };
  const cause = causeOf(line) ?? { code: "missing_dependency", phase: null };
  return { ...ended(phase, line, "blocked"), cause, missing, problem };
}

/** A phase that is over retries nothing: shards that were backing off go back to those that wait. */
function ended(phase: PhaseView, line: JournalLine, status: PhaseStatus): PhaseView {
  for (const [shard, { status: shardStatus }] of phase.open) if (shardStatus === "backoff") phase.open.delete(shard);
  const revision = readNumber(line.data, "revision") ?? phase.revision;
  const shards = { ...phase.shards, backoff: 0 };
  return { ...phase, status, revision, shards, approval: null, finished_at_ms: timeOf(line) };
}

function succeeded(phase: PhaseView, line: JournalLine): PhaseView {
  return {
    ...ended(phase, line, "succeeded"),
    ...FRESH,
    problem: null,
    cause: null,
    missing: [],
    tolerated_shards: toleratedShards(line),
  };
}

/** A phase that was over has not run: its times stay. */
function reused(phase: PhaseView, line: JournalLine): PhaseView {
  return phase.status === "succeeded" ? { ...phase, ...FRESH } : succeeded(phase, line);
}

/** Failed shards the output goes without: how many, or which. */
function toleratedShards({ data }: JournalLine): number {
  const listed = data["tolerated_shards"];
  return Array.isArray(listed) ? listed.length : Math.max(0, readNumber(data, "tolerated_shards") ?? 0);
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
  const status = readText(line.data, "status");
  const wasOpen = phase.started_at_ms !== null || readText(line.data, "cause_phase") === phase.phase;
  const carriesOn = status === undefined ? wasOpen : status === "running";
  return {
    ...resume(phase, line),
    status: carriesOn ? "running" : "pending",
    shards: { ...phase.shards, cancelled: 0 },
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

/** The cause an event names, where it names one. */
export function causeOf({ data }: JournalLine): CauseView | null {
  const code = readText(data, "cause");
  return code === undefined ? null : { code, phase: readText(data, "cause_phase") ?? null };
}

function timeOf(line: JournalLine): number {
  return Date.parse(line.timestamp);
}
