import type { PhaseStatus, RunStatus } from "@fanfold/schemas";
import { addUsage, type UsageSum } from "../policy/cost.ts";
import { findCriticalPath } from "./critical-path.ts";
import { NO_SHARDS, phaseTimeMs, type RunView, type ShardCounts } from "./run-view.ts";

/** Tokens that attempts reported. */
export interface TokenCounts {
  readonly prompt: number;
  readonly completion: number;
  /** At least the other two together: some programs report no more than a total. */
  readonly total: number;
}

/** Figures of a run. Attempts, times and usage include those of earlier revisions; shards are those of the latest. */
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
  /** Time of the longest chain of phases, and their names: no number of workers would have been faster. */
  readonly critical_path_sec: number;
  readonly critical_path: readonly string[];
  readonly attempts: number;
  readonly retries: number;
  readonly lost: number;
  /** Share of the serial time that went into attempts without an accepted result; `null` before an attempt ended. */
  readonly waste_ratio: number | null;
  readonly tokens: TokenCounts;
  /** `null` while no cost is known: what is unknown is not free. */
  readonly cost_estimate_usd: number | null;
  /** Whether the estimate leaves out attempts whose cost is unknown. */
  readonly is_cost_partial: boolean;
  readonly phases: Readonly<Record<PhaseStatus, number>>;
  readonly shards: ShardCounts;
  /** Failed phases that did not fail the run, and failed shards that outputs go without. */
  readonly tolerated_failures: number;
  readonly tolerated_shards: number;
  /** Of the succeeded shards, those whose output was taken from earlier ones. */
  readonly reused_shards: number;
}

/**
 * Sums a view up.
 *
 * @param nowMs end of what is not over, Unix ms; by default the time of the last line read
 */
export function summariseRun(view: RunView, nowMs: number = view.last_at_ms ?? 0): RunSummary {
  const { phases, shards, usage, ...sums } = sumPhases(view);
  const wallMs = wallTimeMs(view, nowMs);
  const path = findCriticalPath(
    [...view.phases.values()].map((phase) => ({
      phase: phase.phase,
      depends_on: phase.depends_on,
      duration_ms: phaseTimeMs(phase, nowMs),
    })),
  );
  return {
    run_id: view.run_id,
    plan_id: view.plan_id,
    plan_version: view.plan_version,
    status: view.status,
    wall_time_sec: wallMs / 1_000,
    serial_time_sec: sums.serial_ms / 1_000,
    speedup_vs_serial: wallMs > 0 && sums.serial_ms > 0 ? round(sums.serial_ms / wallMs, 2) : null,
    critical_path_sec: path.duration_ms / 1_000,
    critical_path: path.phases,
    attempts: sums.attempts,
    retries: sums.retries,
    lost: sums.lost,
    waste_ratio: sums.serial_ms > 0 ? round(sums.wasted_ms / sums.serial_ms, 4) : null,
    tokens: tokensOf(usage),
    cost_estimate_usd: usage?.cost_usd ?? null,
    is_cost_partial: usage?.is_cost_partial ?? false,
    phases,
    shards,
    tolerated_failures: view.tolerated_failures,
    tolerated_shards: sums.tolerated_shards,
    reused_shards: sums.reused_shards,
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

/** Token counts of a usage; all 0 where nothing was reported. */
export function tokensOf(usage: UsageSum | null): TokenCounts {
  return {
    prompt: usage?.prompt_tokens ?? 0,
    completion: usage?.completion_tokens ?? 0,
    total: usage?.total_tokens ?? 0,
  };
}

const SUMMED = ["attempts", "retries", "lost", "serial_ms", "wasted_ms", "tolerated_shards", "reused_shards"] as const;

interface PhaseSums {
  readonly phases: Record<PhaseStatus, number>;
  shards: ShardCounts;
  usage: UsageSum | null;
  attempts: number;
  retries: number;
  lost: number;
  serial_ms: number;
  wasted_ms: number;
  tolerated_shards: number;
  reused_shards: number;
}

function sumPhases(view: RunView): PhaseSums {
  const sums: PhaseSums = {
    phases: { pending: 0, running: 0, succeeded: 0, failed: 0, blocked: 0, skipped: 0, cancelled: 0 },
    shards: NO_SHARDS,
    usage: null,
    attempts: 0,
    retries: 0,
    lost: 0,
    serial_ms: 0,
    wasted_ms: 0,
    tolerated_shards: 0,
    reused_shards: 0,
  };
  for (const phase of view.phases.values()) {
    sums.phases[phase.status] += 1;
    sums.shards = addCounts(sums.shards, phase.shards);
    if (phase.usage !== null) sums.usage = addUsage(sums.usage, phase.usage);
    for (const field of SUMMED) sums[field] += phase[field];
  }
  return sums;
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

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
