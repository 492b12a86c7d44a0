import type { PhaseStatus } from "@fanfold/schemas";
import { type PhaseProgressDocument, phaseProgressAt } from "./progress-phase.ts";
import { type RunProgressDocument, runProgressAt } from "./progress-run.ts";
import {
  type ApprovalView,
  type ArtifactView,
  type CauseView,
  type PhaseView,
  phaseTimeMs,
  type Problem,
  type RunView,
  type ShardCounts,
  type ShardView,
  waitingShards,
} from "./run-view.ts";
import { type RunSummary, summariseRun, type TokenCounts, tokensOf } from "./summarise-run.ts";

/** A run's figures and its phases as plain JSON, for programs. */
export type RunDocument = Omit<RunSummary, "phases"> & {
  readonly is_paused: boolean;
  readonly cause: CauseView | null;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly progress: RunProgressDocument;
  readonly phase_counts: RunSummary["phases"];
  readonly phases: readonly PhaseDocument[];
};

/** A phase of a {@link RunDocument}. */
export interface PhaseDocument {
  readonly phase: string;
  readonly status: PhaseStatus;
  readonly revision: number;
  readonly is_stale: boolean;
  /** The input at the root of it, such as `context r2 → r3`. */
  readonly stale_cause: string | null;
  readonly depends_on: readonly string[];
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  /** Time its latest revision was under way; `null` before it started. */
  readonly wall_time_sec: number | null;
  /** Sum of its ended attempts, and of those of them whose result was not accepted. */
  readonly serial_time_sec: number;
  readonly wasted_time_sec: number;
  readonly progress: PhaseProgressDocument;
  /** What a person is asked; `null` while the phase waits for nobody. */
  readonly approval: ApprovalView | null;
  readonly cause: CauseView | null;
  /** Phases whose accepted output a blocked phase lacks. */
  readonly missing: readonly string[];
  readonly problem: Problem | null;
  readonly attempts: number;
  readonly retries: number;
  readonly lost: number;
  readonly tokens: TokenCounts;
  readonly cost_estimate_usd: number | null;
  readonly is_cost_partial: boolean;
  readonly shards: ShardCounts & { readonly waiting: number };
  readonly tolerated_shards: number;
  /** Of the succeeded shards, those whose output was taken from earlier ones. */
  readonly reused_shards: number;
  readonly open_shards: readonly ShardView[];
  readonly artifacts: readonly ArtifactView[];
}

/**
 * The whole view as plain JSON, for `--json` and the like. Open shards stand in order of their index.
 *
 * @param nowMs end of what is not over, Unix ms; by default the time of the last line read
 */
export function runDocument(view: RunView, nowMs: number = view.last_at_ms ?? 0): RunDocument {
  const { phases: phaseCounts, ...figures } = summariseRun(view, nowMs);
  return {
    ...figures,
    is_paused: view.is_paused,
    cause: view.cause,
    started_at_ms: view.started_at_ms,
    finished_at_ms: view.finished_at_ms,
    progress: runProgressAt(view, nowMs),
    phase_counts: phaseCounts,
    phases: [...view.phases.values()].map((phase) => phaseDocument(phase, nowMs)),
  };
}

function phaseDocument(phase: PhaseView, nowMs: number): PhaseDocument {
  const timeMs = phaseTimeMs(phase, nowMs);
  return {
    phase: phase.phase,
    status: phase.status,
    revision: phase.revision,
    is_stale: phase.is_stale,
    stale_cause: phase.stale_cause,
    depends_on: phase.depends_on,
    started_at_ms: phase.started_at_ms,
    finished_at_ms: phase.finished_at_ms,
    wall_time_sec: timeMs === null ? null : timeMs / 1_000,
    serial_time_sec: phase.serial_ms / 1_000,
    wasted_time_sec: phase.wasted_ms / 1_000,
    progress: phaseProgressAt(phase, nowMs),
    approval: phase.approval,
    cause: phase.cause,
    missing: phase.missing,
    problem: phase.problem,
    attempts: phase.attempts,
    retries: phase.retries,
    lost: phase.lost,
    tokens: tokensOf(phase.usage),
    cost_estimate_usd: phase.usage?.cost_usd ?? null,
    is_cost_partial: phase.usage?.is_cost_partial ?? false,
    shards: { ...phase.shards, waiting: waitingShards(phase.shards) },
    tolerated_shards: phase.tolerated_shards,
    reused_shards: phase.reused_shards,
    open_shards: [...phase.open.values()].sort((a, b) => a.shard - b.shard),
    artifacts: phase.artifacts,
  };
}
