import type { PhaseStatus, RunStatus } from "@fanfold/schemas";
import type { UsageSum } from "../policy/cost.ts";
import { NO_PROGRESS, type PhaseProgress } from "./progress-phase.ts";
import { NO_RUN_PROGRESS, progressOfPhases, type RunProgress } from "./progress-run.ts";

/** Something that went wrong, and what can be done. */
export interface Problem {
  /** Phase it happened in; `null` for the run as a whole. */
  readonly phase: string | null;
  readonly shard: number | null;
  readonly attempt: number | null;
  readonly error_code: string | null;
  readonly why: string;
  readonly next_action: string | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly at_ms: number;
  /** False while the shard is tried again. */
  readonly is_final: boolean;
}

/** A shard that is neither waiting nor done: the only ones a view remembers one by one. */
export interface ShardView {
  readonly shard: number;
  readonly status: "running" | "backoff" | "failed";
  readonly attempt: number | null;
  readonly worker: string | null;
  /** Since when it has been in this status, Unix ms. */
  readonly since_ms: number;
  readonly problem: Problem | null;
}

/** Shards of a phase's latest revision by status. Those counted nowhere wait. `total` is 0 until it is known. */
export interface ShardCounts {
  readonly total: number;
  readonly running: number;
  readonly backoff: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** An accepted output of a phase. */
export interface ArtifactView {
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

/** Why something did not succeed: a code, and the phase at the root of it. */
export interface CauseView {
  readonly code: string;
  readonly phase: string | null;
}

/** A question to a person that nobody has answered. */
export interface ApprovalView {
  readonly message: string | null;
  /** Since when it waits, and until when at most, Unix ms. */
  readonly since_ms: number;
  readonly until_ms: number | null;
}

/** A phase as its run's journal tells of it. Attempts, retries, losses and times add up over all revisions. */
export interface PhaseView {
  readonly phase: string;
  readonly status: PhaseStatus;
  /** Revision accepted or in the making; 0 before the first. */
  readonly revision: number;
  /** Turn of the run in which it was made; 0 before the first rerun. */
  readonly turn: number;
  readonly depends_on: readonly string[];
  /** Whether a declared phase depends on this one: if not, its artifacts are outputs of the run. */
  readonly has_dependents: boolean;
  readonly shards: ShardCounts;
  /** Running, backing-off and failed shards by index. */
  readonly open: Map<number, ShardView>;
  readonly attempts: number;
  readonly retries: number;
  readonly lost: number;
  /** Sum of the durations of ended attempts, and the part of it whose results were not accepted. */
  readonly serial_ms: number;
  readonly wasted_ms: number;
  /** What its attempts reported they used; `null` when none did. */
  readonly usage: UsageSum | null;
  readonly progress: PhaseProgress;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  /** Time between an end of the latest revision and its reopening. */
  readonly idle_ms: number;
  /** Failed shards its latest output goes without. */
  readonly tolerated_shards: number;
  /** Shards of the latest revision whose output was taken from earlier ones. */
  readonly reused_shards: number;
  /** What a person is asked; `null` while the phase waits for nobody. */
  readonly approval: ApprovalView | null;
  /** Why it was skipped, cancelled or blocked. */
  readonly cause: CauseView | null;
  /** Phases whose accepted output a blocked phase lacks. */
  readonly missing: readonly string[];
  /** Whether an input has a newer revision than the one this phase used. */
  readonly is_stale: boolean;
  /** The input at the root of it, such as `context r2 → r3`. */
  readonly stale_cause: string | null;
  /** The latest problem not yet overcome; a final one outranks one that is being retried. */
  readonly problem: Problem | null;
  readonly artifacts: readonly ArtifactView[];
}

/**
 * A run as its journal tells of it, built by `reduceRun`.
 *
 * 1. Memory is O(phases + open shards): a shard that waits, succeeded or was cancelled is only counted.
 * 2. Counts are never negative.
 * 3. Phases stand in declared order, else in the order they were first seen.
 * 4. The maps change only inside `reduceRun`, which hands them on: readers never write to them.
 */
export interface RunView {
  readonly run_id: string;
  readonly plan_id: string | null;
  readonly plan_version: string | null;
  readonly status: RunStatus;
  readonly is_paused: boolean;
  readonly queued_at_ms: number | null;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  /** Time between an end of the run and its reopening. */
  readonly idle_ms: number;
  readonly tolerated_failures: number;
  /** Why the run as a whole failed, where it was not for a phase. */
  readonly cause: CauseView | null;
  readonly progress: RunProgress;
  /** Phase whose failure aborted the plan. */
  readonly aborted_by: string | null;
  /** Last journal line seen: its number, and its time in Unix ms. */
  readonly last_seq: number;
  readonly last_at_ms: number | null;
  readonly phases: Map<string, PhaseView>;
}

/** A declared phase: what {@link withPhases} reads of a compiled plan. */
export interface DeclaredPhase {
  readonly id: string;
  readonly depends_on: readonly (string | { readonly phase: string })[];
  /** Present in a phase that another one spawned: its artifacts are for that one. */
  readonly spawned?: object | undefined;
}

/** Counts of a phase none of whose shards are known. */
export const NO_SHARDS: ShardCounts = { total: 0, running: 0, backoff: 0, succeeded: 0, failed: 0, cancelled: 0 };

/** View of a run of which nothing has been read yet. */
export function emptyRunView(runId: string): RunView {
  return {
    run_id: runId,
    plan_id: null,
    plan_version: null,
    status: "queued",
    is_paused: false,
    queued_at_ms: null,
    started_at_ms: null,
    finished_at_ms: null,
    idle_ms: 0,
    tolerated_failures: 0,
    cause: null,
    progress: NO_RUN_PROGRESS,
    aborted_by: null,
    last_seq: 0,
    last_at_ms: null,
    phases: new Map(),
  };
}

/** View of a phase of which nothing has been read yet. */
export function emptyPhaseView(phase: string): PhaseView {
  return {
    phase,
    status: "pending",
    revision: 0,
    turn: 0,
    depends_on: [],
    has_dependents: false,
    shards: NO_SHARDS,
    open: new Map(),
    attempts: 0,
    retries: 0,
    lost: 0,
    serial_ms: 0,
    wasted_ms: 0,
    usage: null,
    progress: NO_PROGRESS,
    started_at_ms: null,
    finished_at_ms: null,
    idle_ms: 0,
    tolerated_shards: 0,
    reused_shards: 0,
    approval: null,
    cause: null,
    missing: [],
    is_stale: false,
    stale_cause: null,
    problem: null,
    artifacts: [],
  };
}

/** The view with the plan's phases, in declared order, so that pending ones show. What is known of them stays. */
export function withPhases(view: RunView, declared: readonly DeclaredPhase[]): RunView {
  const sources = new Set<string>();
  const phases = new Map<string, PhaseView>();
  for (const { id, depends_on, spawned } of declared) {
    if (spawned !== undefined) sources.add(id);
    const names = depends_on.map((edge) => (typeof edge === "string" ? edge : edge.phase));
    for (const name of names) sources.add(name);
    phases.set(id, { ...(view.phases.get(id) ?? emptyPhaseView(id)), depends_on: names });
  }
  for (const [id, phase] of view.phases) if (!phases.has(id)) phases.set(id, phase);
  for (const [id, phase] of phases) phases.set(id, { ...phase, has_dependents: sources.has(id) });
  return { ...view, phases, progress: progressOfPhases(view.progress, phases.values()) };
}

/** Time a phase's latest revision has been under way, in ms, without the time it was over in between; `null` before it started. */
export function phaseTimeMs(phase: PhaseView, nowMs: number): number | null {
  if (phase.started_at_ms === null) return null;
  return Math.max(0, (phase.finished_at_ms ?? nowMs) - phase.started_at_ms - phase.idle_ms);
}

/** Phases that wait for a person, in the view's order. */
export function waitingApprovals({ phases }: RunView): (PhaseView & { readonly approval: ApprovalView })[] {
  return [...phases.values()].flatMap((phase) =>
    phase.approval === null ? [] : [{ ...phase, approval: phase.approval }],
  );
}

/** Shards that have not been tried yet, or wait to be tried again at once. */
export function waitingShards({ total, running, backoff, succeeded, failed, cancelled }: ShardCounts): number {
  return Math.max(0, total - running - backoff - succeeded - failed - cancelled);
}

/** The latest problem not yet overcome: a failure before what is blocked, and that before what is being retried. */
export function lastProblem(view: RunView): Problem | null {
  let last: Problem | null = null;
  for (const { problem } of view.phases.values()) {
    if (problem !== null && (last === null || outranks(problem, last))) last = problem;
  }
  return last;
}

function outranks(problem: Problem, other: Problem): boolean {
  const lead = rank(problem) - rank(other);
  return lead === 0 ? problem.at_ms >= other.at_ms : lead > 0;
}

function rank(problem: Problem): number {
  if (!problem.is_final) return 0;
  return isBlock(problem) ? 1 : 2;
}

/** Whether a problem is that its phase is blocked. */
export function isBlock(problem: Problem): boolean {
  return problem.is_final && problem.error_code === "missing_dependency";
}

/** Whether a retry may help: it cannot where a phase is blocked, or where its condition makes no sense. */
export function isRetryable(problem: Problem): boolean {
  return !isBlock(problem) && !(problem.is_final && problem.error_code === "condition_failed");
}

/**
 * Failed shards, and failed or blocked phases without one; the phase that aborted the plan comes first, then the
 * view's order. What a succeeded phase tolerates is not among them.
 */
export function listFailures(view: RunView): Problem[] {
  const failures = [...view.phases.values()].flatMap(phaseFailures);
  const isCulprit = (problem: Problem): boolean => problem.phase === view.aborted_by;
  return [...failures.filter(isCulprit), ...failures.filter((problem) => !isCulprit(problem))];
}

/** Failed shards that the outputs of succeeded phases go without, in the view's order. */
export function listTolerated(view: RunView): Problem[] {
  return [...view.phases.values()].flatMap((phase) => (phase.status === "succeeded" ? shardFailures(phase) : []));
}

function phaseFailures(phase: PhaseView): Problem[] {
  const { status, problem } = phase;
  if (status === "succeeded") return [];
  const problems = shardFailures(phase);
  const isOver = status === "failed" || status === "blocked";
  return problems.length === 0 && isOver && problem !== null ? [problem] : problems;
}

function shardFailures({ open }: PhaseView): Problem[] {
  const failed = [...open.values()].filter((shard) => shard.status === "failed").sort((a, b) => a.shard - b.shard);
  return failed.flatMap((shard) => shard.problem ?? []);
}
