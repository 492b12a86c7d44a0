import type { PhaseStatus, RunStatus } from "@fanfold/schemas";
import {
  type ArtifactView,
  NO_SHARDS,
  type Problem,
  type RunView,
  type ShardCounts,
  type ShardView,
  waitingShards,
} from "./run-view.ts";

/** Figures of a run. Attempts and times include those of earlier revisions; shards are those of the latest. */
export interface RunSummary {
  readonly run_id: string;
  readonly plan_id: string | null;
  readonly plan_version: string | null;
  readonly status: RunStatus;
  /** Time the run was under way, without the time between its end and its reopening; up to the last line read. */
  readonly wall_time_sec: number;
  /** Sum of all ended attempts. */
  readonly serial_time_sec: number;
  /** Serial time by wall time; `null` while either is unknown. */
  readonly speedup_vs_serial: number | null;
  readonly attempts: number;
  readonly retries: number;
  readonly lost: number;
  readonly phases: Readonly<Record<PhaseStatus, number>>;
  readonly shards: ShardCounts;
  readonly tolerated_failures: number;
}

/** Sums a view up. */
export function summariseRun(view: RunView): RunSummary {
  const phases: Record<PhaseStatus, number> = {
    pending: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  };
  const sums = { attempts: 0, retries: 0, lost: 0, serial_ms: 0 };
  let shards = NO_SHARDS;
  for (const phase of view.phases.values()) {
    phases[phase.status] += 1;
    shards = addCounts(shards, phase.shards);
    sums.attempts += phase.attempts;
    sums.retries += phase.retries;
    sums.lost += phase.lost;
    sums.serial_ms += phase.serial_ms;
  }
  const wallMs = wallTimeMs(view, view.last_at_ms ?? 0);
  return {
    run_id: view.run_id,
    plan_id: view.plan_id,
    plan_version: view.plan_version,
    status: view.status,
    wall_time_sec: wallMs / 1_000,
    serial_time_sec: sums.serial_ms / 1_000,
    speedup_vs_serial: wallMs > 0 && sums.serial_ms > 0 ? round2(sums.serial_ms / wallMs) : null,
    attempts: sums.attempts,
    retries: sums.retries,
    lost: sums.lost,
    phases,
    shards,
    tolerated_failures: view.tolerated_failures,
  };
}

/**
 * Time a run has been under way, in ms, without the time between its end and its reopening.
 *
 * @param nowMs end of a run that is not over, Unix ms
 */
export function wallTimeMs(view: RunView, nowMs: number): number {
  if (view.started_at_ms === null) return 0;
  return Math.max(0, (view.finished_at_ms ?? nowMs) - view.started_at_ms - view.idle_ms);
}

/** A run's figures and its phases as plain JSON, for programs. */
export type RunDocument = Omit<RunSummary, "phases"> & {
  readonly is_paused: boolean;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly phase_counts: RunSummary["phases"];
  readonly phases: readonly PhaseDocument[];
};

/** A phase of a {@link RunDocument}. */
export interface PhaseDocument {
  readonly phase: string;
  readonly status: PhaseStatus;
  readonly revision: number;
  readonly is_stale: boolean;
  readonly depends_on: readonly string[];
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly cause: { readonly code: string; readonly phase: string | null } | null;
  readonly problem: Problem | null;
  readonly attempts: number;
  readonly retries: number;
  readonly lost: number;
  readonly shards: ShardCounts & { readonly waiting: number };
  readonly open_shards: readonly ShardView[];
  readonly artifacts: readonly ArtifactView[];
}

/** The whole view as plain JSON, for `--json` and the like. Open shards stand in order of their index. */
export function runDocument(view: RunView): RunDocument {
  const { phases: phaseCounts, ...figures } = summariseRun(view);
  return {
    ...figures,
    is_paused: view.is_paused,
    started_at_ms: view.started_at_ms,
    finished_at_ms: view.finished_at_ms,
    phase_counts: phaseCounts,
    phases: [...view.phases.values()].map(({ open, has_dependents: _hidden, serial_ms: _summed, ...phase }) => ({
      ...phase,
      shards: { ...phase.shards, waiting: waitingShards(phase.shards) },
      open_shards: [...open.values()].sort((a, b) => a.shard - b.shard),
    })),
  };
}

function addCounts(a: ShardCounts, b: ShardCounts): ShardCounts {
  return {
    total: a.total + b.total,
    running: a.running + b.running,
    backoff: a.backoff + b.backoff,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
  };
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
