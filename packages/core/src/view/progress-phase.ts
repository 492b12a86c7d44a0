import type { PhaseStatus } from "@fanfold/schemas";
import {
  ALL_DONE,
  holdPercent,
  type MetricAmount,
  type MetricDocument,
  type MetricView,
  metricEtaSec,
  NO_PERCENT,
  type Percent,
  percentOf,
  weakerMode,
} from "./progress-metric.ts";

/** Key of the metric every phase has: how many of its shards are done. */
export const SHARDS_METRIC = "shards";

/** Metrics kept of a phase; a program that makes up names must not fill the memory of those who watch it. */
export const MAX_METRICS = 20;

/**
 * How far a phase's latest revision is.
 *
 * 1. `percent` is the least of the metrics that count: those that have a percent, without the shards where a
 *    reported metric has a total for the whole phase.
 * 2. Neither it nor the percent of a metric falls within a revision.
 * 3. A phase that has succeeded is at 100, `final`, whatever its metrics last said.
 */
export interface PhaseProgress extends Percent {
  /** The shards first, then what attempts report, in the order it was first seen. */
  readonly metrics: readonly MetricView[];
  /** Since when the phase has been running without a break, Unix ms. */
  readonly since_ms: number | null;
  /** Whether the journal said how many shards there are; until then they are discovered one by one. */
  readonly is_cut: boolean;
}

/** Progress of a phase as documents show it. */
export interface PhaseProgressDocument extends Percent {
  readonly eta_sec: number | null;
  readonly metrics: readonly MetricDocument[];
}

/** What progress reads of a phase. */
export interface ProgressingPhase {
  readonly status: PhaseStatus;
  readonly shards: { readonly total: number; readonly succeeded: number };
  readonly progress: PhaseProgress;
}

/** Progress of a phase none of whose shards are known. */
export const NO_PROGRESS: PhaseProgress = { ...NO_PERCENT, metrics: [], since_ms: null, is_cut: false };

/** Progress with newly reported amounts: each replaces the one of the same metric. Shards are not for reporting. */
export function withReported(progress: PhaseProgress, amounts: readonly MetricAmount[]): PhaseProgress {
  const metrics = new Map(progress.metrics.map((metric) => [metric.metric_key, metric]));
  for (const amount of amounts) {
    const before = metrics.get(amount.metric_key);
    if (amount.metric_key === SHARDS_METRIC || (before === undefined && metrics.size > MAX_METRICS)) continue;
    metrics.set(amount.metric_key, measure(before, amount));
  }
  return { ...progress, metrics: [...metrics.values()] };
}

/** The phase after a line of the journal, with its progress brought up to date. */
export function followProgress<Phase extends ProgressingPhase>(before: Phase, after: Phase, atMs: number): Phase {
  const isUnchanged = before.status === after.status && before.shards === after.shards;
  if (isUnchanged && before.progress === after.progress) return after;
  const resumes = before.status !== "running" && after.status === "running";
  const metrics = measureAll(after);
  const percent = after.status === "succeeded" ? ALL_DONE : holdPercent(after.progress, lowestPercent(metrics));
  const progress: PhaseProgress = {
    ...percent,
    metrics: resumes ? metrics.map((metric) => ({ ...metric, base: metric.completed })) : metrics,
    since_ms:
      resumes || (after.status === "running" && after.progress.since_ms === null) ? atMs : after.progress.since_ms,
    is_cut: after.progress.is_cut,
  };
  return { ...after, progress };
}

/**
 * Progress of a phase as of now. Its `eta_sec` is that of its slowest metric: 0 when the phase is done, `null`
 * when one has none or the phase does not run.
 *
 * @param nowMs Unix ms
 */
export function phaseProgressAt(phase: ProgressingPhase, nowMs: number): PhaseProgressDocument {
  const { percent, percent_mode, metrics, since_ms: sinceMs } = phase.progress;
  const isRunning = phase.status === "running" && sinceMs !== null;
  const timed = metrics.map(({ base, ...metric }) => {
    const eta = metricEtaSec({ ...metric, base }, isRunning ? nowMs - sinceMs : 0);
    return { ...metric, eta_sec: phase.status === "succeeded" ? 0 : eta };
  });
  return { percent, percent_mode, eta_sec: phaseEtaSec(phase.status, timed), metrics: timed };
}

function phaseEtaSec(status: PhaseStatus, metrics: readonly MetricDocument[]): number | null {
  if (status === "succeeded") return 0;
  if (status !== "running") return null;
  let slowest: number | null = null;
  for (const { eta_sec: eta } of countingMetrics(metrics)) {
    if (eta === null) return null;
    slowest = Math.max(slowest ?? 0, eta);
  }
  return slowest;
}

function measureAll({ shards, progress }: ProgressingPhase): MetricView[] {
  const [first, ...rest] = progress.metrics;
  const isFirstOfShards = first?.metric_key === SHARDS_METRIC;
  const ofShards = measure(isFirstOfShards ? first : undefined, shardAmount(shards, progress.is_cut));
  return isFirstOfShards || first === undefined ? [ofShards, ...rest] : [ofShards, first, ...rest];
}

function shardAmount(shards: ProgressingPhase["shards"], isCut: boolean): MetricAmount {
  const common = { metric_key: SHARDS_METRIC, unit: "shards", completed: shards.succeeded };
  if (isCut) return { ...common, total: shards.total, total_status: "locked" };
  if (shards.total > 0) return { ...common, total: shards.total, total_status: "discovering" };
  return { ...common, total: null, total_status: "unknown" };
}

function measure(before: MetricView | undefined, amount: MetricAmount): MetricView {
  const percent = holdPercent(before ?? NO_PERCENT, percentOf(amount));
  return { ...amount, ...percent, base: before?.base ?? 0 };
}

/**
 * Whole shards are a coarse measure: what is reported from inside of them tells more, as soon as one such metric
 * has a total for the whole phase. Until then the shards count beside it.
 */
function countingMetrics<Metric extends MetricAmount & Percent>(metrics: readonly Metric[]): readonly Metric[] {
  const measured = metrics.filter(({ percent }) => percent !== null);
  const reported = measured.filter(({ metric_key: key }) => key !== SHARDS_METRIC);
  return reported.some(({ total_status: status }) => status !== "discovering") ? reported : measured;
}

/** The least percent of those that count, trusted as little as the least trusted of them. */
function lowestPercent(metrics: readonly MetricView[]): Percent {
  let lowest: Percent = NO_PERCENT;
  for (const { percent, percent_mode } of countingMetrics(metrics)) {
    if (lowest.percent === null || percent === null) lowest = { percent, percent_mode };
    else
      lowest = {
        percent: Math.min(lowest.percent, percent),
        percent_mode: weakerMode(lowest.percent_mode, percent_mode),
      };
  }
  return lowest;
}
