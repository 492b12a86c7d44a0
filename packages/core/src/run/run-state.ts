import type { Artifact, Cause, CompiledPlan, DraftEvent, Effect, PhaseRecord, RunRecord } from "@fanfold/schemas";
import { CoreError } from "../core-error.ts";
import type { PlanGraph } from "../plan/plan-graph.ts";
import type { ApprovalAnswer } from "./answer-approval.ts";
import type { RerunRequest } from "./plan-rerun.ts";
import { isPhaseOver } from "./transitions.ts";

/** Everything a decision about a run reads. Immutable: {@link applyDecision} makes the next one. */
export interface RunState {
  readonly plan: CompiledPlan;
  readonly graph: PlanGraph;
  readonly run: RunRecord;
  readonly phases: Map<string, PhaseRecord>;
  /** Phases that are pending or running; kept so that nobody has to count them. */
  readonly unfinished: number;
}

/** A plan that never changes, and its DAG. */
export interface PlannedRun {
  readonly plan: CompiledPlan;
  readonly graph: PlanGraph;
}

/** What just happened. `revision` is the one in the making. */
export type Trigger =
  | { readonly type: "start" }
  | {
      readonly type: "phase_succeeded";
      readonly phase: string;
      readonly revision: number;
      readonly artifacts: readonly Artifact[];
      /** Shards that failed and were tolerated. */
      readonly toleratedShards: number;
      /** Shards that took over earlier outputs; none when absent. */
      readonly reusedShards?: number;
    }
  | {
      readonly type: "phase_failed";
      readonly phase: string;
      readonly revision: number;
      readonly cause: Cause;
      readonly failedShards: number;
    }
  | {
      readonly type: "phase_drained";
      readonly phase: string;
      readonly revision: number;
      /** It, or shards of it, were cancelled by hand. */
      readonly isRecalled?: boolean;
      /** Who cancelled it by hand. */
      readonly actor?: string;
    }
  | { readonly type: "cancel_phase"; readonly phase: string; readonly actor: string }
  | { readonly type: "shard_failed"; readonly phase: string; readonly revision: number; readonly why: string }
  | { readonly type: "cancel"; readonly actor: string }
  | { readonly type: "pause"; readonly actor: string }
  | { readonly type: "resume"; readonly actor: string }
  /** `atMs`: the end of the time that was set, Unix ms; one that was replaced since has no effect. */
  | { readonly type: "timeout"; readonly atMs?: number }
  /** The attempts of the run have cost that much, in USD; no effect while it is within the budget. */
  | { readonly type: "budget_spent"; readonly costUsd: number }
  /** An attempt of the phase spawned these; the plan that is decided on has them, where they may start. */
  | {
      readonly type: "spawned";
      readonly phase: string;
      readonly revision: number;
      readonly children: readonly string[];
    }
  /** Somebody has answered; `artifact` is the answer as an output. Only the first answer counts. */
  | {
      readonly type: "approve";
      readonly phase: string;
      readonly revision: number;
      readonly answer: ApprovalAnswer;
      readonly artifact: Artifact;
    }
  /** `atMs`: when the wait for an approval was to end, Unix ms; one that was asked for anew since is not over. */
  | { readonly type: "approval_timeout"; readonly phase: string; readonly revision: number; readonly atMs: number }
  | { readonly type: "reopen"; readonly phase: string; readonly actor: string }
  | {
      readonly type: "rerun";
      readonly request: RerunRequest;
      readonly actor: string;
      /** Phases with a making that did not become a revision, and how many shards that has. */
      readonly unfinished: ReadonlyMap<string, number>;
    };

/** A decided change: new records, the events that tell of it, and what to do next. */
export interface Decision {
  readonly run: Readonly<Partial<RunRecord>>;
  readonly phases: ReadonlyMap<string, PhaseRecord>;
  /** Records of accepted revisions that are run again, by `<phase>.r<revision>`: they go into the history. */
  readonly revisions: ReadonlyMap<string, PhaseRecord>;
  readonly events: readonly DraftEvent[];
  readonly effects: readonly Effect[];
}

/** Whether a decision changes nothing and asks for nothing. */
export function isEmptyDecision(decision: Decision): boolean {
  return (
    decision.phases.size === 0 &&
    decision.events.length === 0 &&
    decision.effects.length === 0 &&
    Object.keys(decision.run).length === 0
  );
}

/** Record of a phase. @throws {CoreError} UNKNOWN_PHASE when the run has no such phase */
export function phaseRecord(state: RunState, id: string): PhaseRecord {
  const record = state.phases.get(id);
  if (record === undefined) throw new CoreError("UNKNOWN_PHASE", `run ${state.run.run_id} has no phase ${id}`);
  return record;
}

/** State of a run that nothing has happened to yet. */
export function initialRunState({ plan, graph }: PlannedRun, run: RunRecord): RunState {
  const phases = new Map<string, PhaseRecord>();
  for (const id of graph.ids) phases.set(id, { status: "pending", revision: 0 });
  return { plan, graph, run, phases, unfinished: phases.size };
}

/** State of a run as stored. Phases without a record are pending. */
export function restoreRunState(
  { plan, graph }: PlannedRun,
  run: RunRecord,
  stored: ReadonlyMap<string, PhaseRecord>,
): RunState {
  const phases = new Map<string, PhaseRecord>();
  let unfinished = 0;
  for (const id of graph.ids) {
    const record = stored.get(id) ?? { status: "pending", revision: 0 };
    if (!isPhaseOver(record.status)) unfinished += 1;
    phases.set(id, record);
  }
  return { plan, graph, run, phases, unfinished };
}

/**
 * State after a decision. The map of phases is updated in place and handed on, so the state passed in
 * must not be used afterwards (a run of 10,000 phases would otherwise be copied at every step).
 */
export function applyDecision(state: RunState, decision: Decision, version: number): RunState {
  return updateRunState(state, { ...state.run, ...decision.run, version }, decision.phases);
}

/** State with these records in place of those it has. The map of phases is updated in place, see {@link applyDecision}. */
export function updateRunState(state: RunState, run: RunRecord, changed: ReadonlyMap<string, PhaseRecord>): RunState {
  const { plan, graph, phases } = state;
  let { unfinished } = state;
  for (const [id, record] of changed) {
    if (!isPhaseOver(phaseRecord(state, id).status)) unfinished -= 1;
    if (!isPhaseOver(record.status)) unfinished += 1;
    phases.set(id, record);
  }
  return { plan, graph, run, phases, unfinished };
}
