import type { EventName, JournalLine } from "@fanfold/schemas";
import { addUsage } from "../policy/cost.ts";
import { readNumber, readText } from "./event-data.ts";
import { problemOf, worseProblem } from "./problem-of.ts";
import { type PhaseReducer, resume } from "./reduce-phase.ts";
import type { PhaseView, Problem, ShardCounts, ShardView } from "./run-view.ts";
import { readUsage } from "./usage-data.ts";

/** Where a shard goes: to a status that is remembered, or to one that is only counted. */
type Destination = ShardView | "waiting" | "succeeded" | "cancelled";

type ShardReducer = (phase: PhaseView, line: JournalLine, shard: number) => PhaseView;

/** What each event of a shard means for its phase's view. Late events of an earlier revision change nothing. */
export const SHARD_REDUCERS = {
  shard_started: ofShard(started),
  shard_retry: ofShard(tryAgainLater),
  shard_iterated: ofShard(iterated),
  shard_timeout: (phase) => phase,
  shard_lost: ofShard(lost),
  shard_given_back: ofShard(givenBack),
  shard_repaired: (phase) => phase,
  shard_spawned: ofShard(spawned),
  shard_resumed: (phase) => phase,
  shard_reused: ofShard(reused),
  shard_succeeded: ofShard(succeeded),
  shard_failed: ofShard(failed),
  shard_cancelled: ofShard(cancelled),
} satisfies Partial<Record<EventName, PhaseReducer>>;

function ofShard(reduce: ShardReducer): PhaseReducer {
  return (phase, line) => {
    const revision = readNumber(line.data, "revision") ?? phase.revision;
    return line.shard === null || revision < phase.revision ? phase : reduce(phase, line, line.shard);
  };
}

function started(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  const running = shardView(line, shard, "running", null);
  const moved = resume(move(phase, shard, running), line);
  return {
    ...moved,
    status: "running",
    revision: Math.max(moved.revision, readNumber(line.data, "revision") ?? 0),
    attempts: moved.attempts + 1,
    started_at_ms: moved.started_at_ms ?? running.since_ms,
  };
}

function tryAgainLater(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  const problem = problemOf(line, false);
  const moved = move(endAttempt(phase, line, shard), shard, shardView(line, shard, "backoff", problem));
  return { ...moved, retries: moved.retries + 1, problem: worseProblem(moved, problem) };
}

/** Why an attempt was lost, where the event gives no other cause. */
function lossOf(line: JournalLine): Problem {
  const worker = readText(line.data, "worker");
  const why = readText(line.data, "why") ?? `its worker${worker === undefined ? "" : ` ${worker}`} was lost`;
  return { ...problemOf(line, false), why };
}

/** The queue hands a lost shard to another worker, so it waits. */
function lost(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  const moved = move(endAttempt(phase, line, shard), shard, "waiting");
  return { ...moved, lost: moved.lost + 1, problem: worseProblem(moved, lossOf(line)) };
}

/** Its worker stops, and the queue hands the shard to another one: nothing went wrong. */
function givenBack(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  return move(endAttempt(phase, line, shard), shard, "waiting");
}

/** It did its work, and does it again. */
function iterated(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  return move(endAttempt(phase, line, shard, true), shard, "waiting");
}

/** It waits for what it spawned; the attempt did what it was to do. */
function spawned(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  return move(endAttempt(phase, line, shard, true), shard, "waiting");
}

function succeeded(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  const moved = move(endAttempt(phase, line, shard, true), shard, "succeeded");
  return moved.problem?.shard === shard ? { ...moved, problem: latestFailure(moved) } : moved;
}

/** There was no attempt: its output is that of an earlier shard. */
function reused(phase: PhaseView, _line: JournalLine, shard: number): PhaseView {
  const moved = move(phase, shard, "succeeded");
  return { ...moved, reused_shards: moved.reused_shards + 1 };
}

function failed(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  const problem = problemOf(line, true);
  return { ...move(endAttempt(phase, line, shard), shard, shardView(line, shard, "failed", problem)), problem };
}

function cancelled(phase: PhaseView, line: JournalLine, shard: number): PhaseView {
  return move(endAttempt(phase, line, shard), shard, "cancelled");
}

/**
 * Adds what the attempt that ran used, and its time; the time once: of the events that may follow each other
 * only the first finds it running.
 */
function endAttempt(phase: PhaseView, line: JournalLine, shard: number, isAccepted = false): PhaseView {
  const usage = readUsage(line.data);
  const used = usage === undefined ? phase : { ...phase, usage: addUsage(phase.usage, usage) };
  const before = phase.open.get(shard);
  if (before?.status !== "running") return used;
  const durationMs = Math.max(0, readNumber(line.data, "duration_ms") ?? Date.parse(line.timestamp) - before.since_ms);
  const wastedMs = isAccepted ? 0 : durationMs;
  return { ...used, serial_ms: phase.serial_ms + durationMs, wasted_ms: phase.wasted_ms + wastedMs };
}

function move(phase: PhaseView, shard: number, to: Destination): PhaseView {
  const counts: { -readonly [Status in keyof ShardCounts]: number } = { ...phase.shards };
  counts.total = Math.max(counts.total, shard + 1);
  const from = phase.open.get(shard);
  if (from !== undefined) counts[from.status] -= 1;
  phase.open.delete(shard);
  if (typeof to === "object") {
    counts[to.status] += 1;
    phase.open.set(shard, to);
  } else if (to !== "waiting") counts[to] += 1;
  return { ...phase, shards: counts };
}

function shardView(line: JournalLine, shard: number, status: ShardView["status"], problem: Problem | null): ShardView {
  const worker = readText(line.data, "worker") ?? null;
  return { shard, status, attempt: line.attempt, worker, since_ms: Date.parse(line.timestamp), problem };
}

function latestFailure(phase: PhaseView): Problem | null {
  let latest: Problem | null = null;
  for (const { status, problem } of phase.open.values()) if (status === "failed") latest = problem;
  return latest;
}
