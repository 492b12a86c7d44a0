import type { EventName, JournalLine, RunStatus } from "@fanfold/schemas";
import { readNumber, readText } from "./event-data.ts";
import { PHASE_REDUCERS, type PhaseReducer } from "./reduce-phase.ts";
import { SHARD_REDUCERS } from "./reduce-shard.ts";
import { emptyPhaseView, type RunView } from "./run-view.ts";

type RunReducer = (view: RunView, line: JournalLine) => RunView;

const IN_PHASE: Partial<Record<EventName, PhaseReducer>> = { ...PHASE_REDUCERS, ...SHARD_REDUCERS };

/** What the other events mean for the run; a new event does not compile until one of the three tables has it. */
const IN_RUN = {
  run_queued: queued,
  run_started: (view) => ({ ...view, status: "running", started_at_ms: view.started_at_ms ?? view.last_at_ms }),
  run_succeeded: (view, line) => ended(view, line, "succeeded"),
  run_failed: (view, line) => ended(view, line, "failed"),
  run_cancelled: (view, line) => ended(view, line, "cancelled"),
  run_paused: (view) => ({ ...view, is_paused: true }),
  run_resumed: (view) => ({ ...view, is_paused: false }),
  run_reopened: reopened,
  plan_aborted: (view, line) => ({ ...view, aborted_by: line.phase }),
  approval_requested: (view) => view,
  approval_given: (view) => view,
  worker_joined: (view) => view,
  worker_left: (view) => view,
} satisfies Record<Exclude<EventName, keyof typeof PHASE_REDUCERS | keyof typeof SHARD_REDUCERS>, RunReducer>;

const RUN_REDUCERS: Partial<Record<EventName, RunReducer>> = IN_RUN;

/**
 * Folds the next journal line into a view. A line seen before (`seq` not above the last one) changes nothing.
 *
 * The maps of phases and open shards are updated in place and handed on, so the view passed in must not be
 * used afterwards: a run of many phases would otherwise be copied at every line.
 */
export function reduceRun(view: RunView, line: JournalLine): RunView {
  if (line.seq <= view.last_seq) return view;
  const next = { ...view, last_seq: line.seq, last_at_ms: Date.parse(line.timestamp) };
  const reducePhase = IN_PHASE[line.event];
  if (reducePhase === undefined || line.phase === null) return RUN_REDUCERS[line.event]?.(next, line) ?? next;
  next.phases.set(line.phase, reducePhase(next.phases.get(line.phase) ?? emptyPhaseView(line.phase), line));
  return next;
}

function queued(view: RunView, { data }: JournalLine): RunView {
  return {
    ...view,
    plan_id: readText(data, "plan_id") ?? view.plan_id,
    plan_version: readText(data, "plan_version") ?? view.plan_version,
    queued_at_ms: view.queued_at_ms ?? view.last_at_ms,
  };
}

function ended(view: RunView, { data }: JournalLine, status: RunStatus): RunView {
  const toleratedFailures = readNumber(data, "tolerated_failures") ?? 0;
  return { ...view, status, is_paused: false, finished_at_ms: view.last_at_ms, tolerated_failures: toleratedFailures };
}

function reopened(view: RunView): RunView {
  const idleMs = Math.max(0, (view.last_at_ms ?? 0) - (view.finished_at_ms ?? view.last_at_ms ?? 0));
  return { ...view, status: "running", finished_at_ms: null, aborted_by: null, idle_ms: view.idle_ms + idleMs };
}
