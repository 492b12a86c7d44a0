/** What is known of a metric's total. `discovering`: a part of it. `locked`: all of it, and it stays. */
export type TotalStatus = "unknown" | "discovering" | "estimated" | "locked";

/**
 * How far a percent can be trusted. `lower_bound`: the total (or, for a run, what its phases have done) is only
 * partly known. `final`: nothing about it is guessed.
 */
export type PercentMode = "unavailable" | "lower_bound" | "estimated" | "final";

/** How much of one kind of work is done. */
export interface MetricAmount {
  readonly metric_key: string;
  readonly unit: string;
  readonly completed: number;
  /** `null` exactly while `total_status` is `unknown`. */
  readonly total: number | null;
  readonly total_status: TotalStatus;
}

/** A percent, 0…100 with two digits, and what it is worth; `null` exactly while the mode is `unavailable`. */
export interface Percent {
  readonly percent: number | null;
  readonly percent_mode: PercentMode;
}

/** A metric of a phase, as a view keeps it. */
export interface MetricView extends MetricAmount, Percent {
  /** What was completed when the phase last started or resumed: the rate counts from there. */
  readonly base: number;
}

/** A metric as documents show it. */
export interface MetricDocument extends MetricAmount, Percent {
  readonly eta_sec: number | null;
}

/** Percent of something nothing is known of. */
export const NO_PERCENT: Percent = { percent: null, percent_mode: "unavailable" };

/** Percent of what has been done. */
export const ALL_DONE: Percent = { percent: 100, percent_mode: "final" };

/** While a total may grow, nothing is as good as done. */
const MAX_UNSETTLED_PERCENT = 99;

/** What multiplying may add to a whole number. */
const ROUNDING_ERROR = 1e-9;

const MODES: Readonly<Record<TotalStatus, PercentMode>> = {
  unknown: "unavailable",
  discovering: "lower_bound",
  estimated: "estimated",
  locked: "final",
};

/** Percent of an amount, rounded down; 100 only of a locked total. A locked total of 0 is done. */
export function percentOf({ completed, total, total_status: status }: MetricAmount): Percent {
  if (total === null || status === "unknown") return NO_PERCENT;
  const exact = completed >= total ? 100 : Math.floor((completed * 10_000) / total) / 100;
  return { percent: status === "locked" ? exact : Math.min(exact, MAX_UNSETTLED_PERCENT), percent_mode: MODES[status] };
}

const TRUST: readonly PercentMode[] = ["unavailable", "lower_bound", "estimated", "final"];

/** The mode of the two that promises less. */
export function weakerMode(one: PercentMode, other: PercentMode): PercentMode {
  return TRUST.indexOf(one) < TRUST.indexOf(other) ? one : other;
}

/**
 * The percent to show after `before`: the fresh one, unless that would be a step back. One that is held back
 * in this way keeps its mode, but is not `final`: it no longer says how things are.
 */
export function holdPercent(before: Percent, fresh: Percent): Percent {
  const isStepBack = before.percent !== null && (fresh.percent === null || fresh.percent < before.percent);
  const { percent, percent_mode: mode } = isStepBack ? before : fresh;
  return { percent, percent_mode: isStepBack && mode === "final" ? "estimated" : mode };
}

/**
 * Seconds until something is complete if it goes on as fast as so far: 0 when it is, `null` when there is no rate
 * to tell by. Rounded up to tenths, so that what is not complete never has 0 to go.
 *
 * @param done      amount completed since the rate counts
 * @param remaining amount left
 * @param elapsedMs time in which `done` was completed
 */
export function etaOf(done: number, remaining: number, elapsedMs: number): number | null {
  if (remaining <= 0) return 0;
  if (done <= 0 || elapsedMs <= 0) return null;
  const tenths = (remaining / done) * (elapsedMs / 100);
  return Number.isFinite(tenths) ? Math.max(1, Math.ceil(tenths - ROUNDING_ERROR)) / 10 : null;
}

/** Seconds until a metric is complete, as {@link etaOf}; `null` too while its total is still being discovered. */
export function metricEtaSec(metric: MetricView, elapsedMs: number): number | null {
  const { completed, total, total_status: status, base } = metric;
  if (total === null || status === "unknown" || status === "discovering") return null;
  if (completed >= total && status !== "locked") return null;
  return etaOf(completed - base, total - completed, elapsedMs);
}
