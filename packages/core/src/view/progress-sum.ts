import type { MetricAmount } from "./progress-metric.ts";

/** What one shard last reported of one metric. */
export interface ReportedMetric {
  readonly metric_key: string;
  readonly unit: string;
  readonly completed: number;
  /** `null` while the shard does not know it. */
  readonly total: number | null;
}

/** A metric summed over the shards of a phase: plain sums, so that a store can keep them by adding. */
export interface MetricSum {
  readonly metric_key: string;
  readonly unit: string;
  readonly completed: number;
  /** Sum of the totals that are known. */
  readonly total: number;
  /** Shards that have reported the metric, and those of them that know their total. */
  readonly shards: number;
  readonly shards_with_total: number;
}

/** The sum after a shard has reported: what it reported `before`, in an earlier attempt too, no longer counts. */
export function addReport(
  sum: MetricSum | undefined,
  before: ReportedMetric | undefined,
  report: ReportedMetric,
): MetricSum {
  return {
    metric_key: report.metric_key,
    unit: report.unit,
    completed: (sum?.completed ?? 0) - (before?.completed ?? 0) + report.completed,
    total: (sum?.total ?? 0) - (before?.total ?? 0) + (report.total ?? 0),
    shards: (sum?.shards ?? 0) + (before === undefined ? 1 : 0),
    shards_with_total: (sum?.shards_with_total ?? 0) - knowsTotal(before) + knowsTotal(report),
  };
}

/**
 * The metric of a phase whose shards have reported this. As long as a shard that works does not know its total,
 * the total is being discovered; shards that have not reported are taken to be like those that have.
 *
 * @param shardCount shards of the phase, without those that ended and never reported the metric
 */
export function amountOfSum(sum: MetricSum, shardCount: number): MetricAmount {
  const { metric_key, unit, completed, total, shards, shards_with_total: known } = sum;
  const amount = { metric_key, unit, completed };
  if (known === 0) return { ...amount, total: null, total_status: "unknown" };
  if (known < shards) return { ...amount, total: Math.max(total, completed), total_status: "discovering" };
  if (shards >= shardCount) return { ...amount, total, total_status: "locked" };
  return { ...amount, total: Math.ceil((total * shardCount) / shards), total_status: "estimated" };
}

function knowsTotal(report: ReportedMetric | undefined): number {
  return report === undefined || report.total === null ? 0 : 1;
}
