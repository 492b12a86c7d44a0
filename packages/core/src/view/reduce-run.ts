import type { EventName, JournalLine, RunStatus } from "@fanfold/schemas";
import { readNumber, readText } from "./event-data.ts";
import { followProgress } from "./progress-phase.ts";
import { finishRun, followPhase, resumeRun } from "./progress-run.ts";
import { causeOf, PHASE_REDUCERS, type PhaseReducer } from "./reduce-phase.ts";
import { SHARD_REDUCERS } from "./reduce-shard.ts";
import { emptyPhaseView, type PhaseView, type RunView } from "./run-view.ts";

type RunReducer = (view: RunView, line: JournalLine) => RunView;

const IN_PHASE: Partial<Record<EventName, PhaseReducer>> = { ...PHASE_REDUCERS, ...SHARD_REDUCERS };

/** What the other events mean for the run; a new event does not compile until one of the three tables has it. */
const IN_RUN = {
  run_queued: queued,
  run_started: started,
  run_succeeded: (view, line) => ({ ...ended(view, line, "succeeded"), progress: finishRun(view.progress) }),
  run_failed: (view, line) => ended(view, line, "failed"),
  run_cancelled: (view, line) => ended(view, line, "cancelled"),
  run_paused: (view) => ({ ...view, is_paused: true }),
  run_resumed: (view) => ({ ...view, is_paused: false }),
  run_reopened: reopened,
  plan_aborted: (view, line) => ({ ...view, aborted_by: line.phase }),
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
  const next = { ...view, last_seq: line.seq, last_at_ms: timeOf(line) };
  const reducePhase = IN_PHASE[line.event];
  if (reducePhase === undefined || line.phase === null) return RUN_REDUCERS[line.event]?.(next, line) ?? next;
  const known = next.phases.get(line.phase);
  const before = known ?? emptyPhaseView(line.phase);
  const after = followProgress(before, reducePhase(before, line), timeOf(line));
  next.phases.set(line.phase, after);
  return withProgress(next, line, { known, before, after });
}

/** A phase before and after a line; `known` is `undefined` for one that the line is the first to name. */
interface PhaseChange {
  readonly known: PhaseView | undefined;
  readonly before: PhaseView;
  readonly after: PhaseView;
}

function withProgress(view: RunView, line: JournalLine, { known, before, after }: PhaseChange): RunView {
  const progress = followPhase(view.progress, known, after);
  return { ...view, progress: isTakenUpAgain(line, before, after) ? resumeRun(progress, timeOf(line)) : progress };
}

/** Whether work that was over counts as open again. */
function isTakenUpAgain({ event }: JournalLine, before: PhaseView, after: PhaseView): boolean {
  // the time a person took says nothing of the rest
  if (event === "approval_given") return true;
  return event === "phase_reopened" || (before.revision > 0 && after.revision > before.revision);
}

function started(view: RunView, line: JournalLine): RunView {
  return {
    ...view,
    status: "running",
    started_at_ms: view.started_at_ms ?? view.last_at_ms,
    progress: resumeRun(view.progress, timeOf(line)),
  };
}

function queued(view: RunView, { data }: JournalLine): RunView {
  return {
    ...view,
    plan_id: readText(data, "plan_id") ?? view.plan_id,
    plan_version: readText(data, "plan_version") ?? view.plan_version,
    queued_at_ms: view.queued_at_ms ?? view.last_at_ms,
  };
}

function ended(view: RunView, line: JournalLine, status: RunStatus): RunView {
  return {
    ...view,
    status,
    is_paused: false,
    finished_at_ms: view.last_at_ms,
    tolerated_failures: readNumber(line.data, "tolerated_failures") ?? 0,
    cause: causeOf(line),
  };
}

function reopened(view: RunView, line: JournalLine): RunView {
  const idleMs = Math.max(0, timeOf(line) - (view.finished_at_ms ?? timeOf(line)));
  return {
    ...view,
    status: "running",
    finished_at_ms: null,
    aborted_by: null,
    cause: null,
    idle_ms: view.idle_ms + idleMs,
    progress: resumeRun(view.progress, timeOf(line)),
  };
}

function timeOf(line: JournalLine): number {
  return Date.parse(line.timestamp);
}
