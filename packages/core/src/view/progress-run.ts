import type { PhaseStatus, RunStatus } from "@fanfold/schemas";
import { ALL_DONE, etaOf, holdPercent, NO_PERCENT, type Percent, type PercentMode } from "./progress-metric.ts";

/** Hundredths of a percent: sums of them stay exact. */
const POINTS = 100;

/**
 * How far a run is: the mean of the percents of the phases that take part, each with the same weight. A phase
 * that was skipped takes no part; one of which nothing is known has done nothing. It falls only when work that
 * was over is taken up again.
 */
export interface RunProgress extends Percent {
  /** Phases that take part, and the sum of what they have done, in hundredths of a percent. */
  readonly phases: number;
  readonly points: number;
  /** Phases under way whose percent is only a lower bound, or unknown, and those whose percent is an estimate. */
  readonly lower_bounds: number;
  readonly estimates: number;
  /** Phases that wait for a person. */
  readonly asking: number;
  /** Since when the run has been under way without a break, Unix ms, and where it stood then. */
  readonly since_ms: number | null;
  readonly base_percent: number;
}

/** Progress of a run as documents show it. */
export interface RunProgressDocument extends Percent {
  readonly eta_sec: number | null;
}

/** What a run's progress reads of a phase. */
export interface PhaseOfRun {
  readonly status: PhaseStatus;
  readonly revision: number;
  readonly progress: Percent;
  /** What a person is asked; `null` while the phase waits for nobody. */
  readonly approval: object | null;
}

/** Progress of a run that has no phases yet. */
export const NO_RUN_PROGRESS: RunProgress = {
  ...NO_PERCENT,
  phases: 0,
  points: 0,
  lower_bounds: 0,
  estimates: 0,
  asking: 0,
  since_ms: null,
  base_percent: 0,
};

type Sums = Pick<RunProgress, "phases" | "points" | "lower_bounds" | "estimates" | "asking">;

const NOTHING: Sums = { phases: 0, points: 0, lower_bounds: 0, estimates: 0, asking: 0 };

/** Progress after a phase has changed; `before` is `undefined` for one that is new. Takes the same time for any number of phases. */
export function followPhase(progress: RunProgress, before: PhaseOfRun | undefined, after: PhaseOfRun): RunProgress {
  const isSame = before?.status === after.status && before.approval === after.approval;
  if (isSame && before.progress === after.progress) return progress;
  const out = before === undefined ? NOTHING : shareOf(before);
  const sums = combine(combine(progress, out, -1), shareOf(after), 1);
  const next = { ...progress, ...sums };
  return { ...next, ...holdPercent(progress, meanPercent(next)) };
}

/** Progress of these phases, from nothing: for phases that were declared, not reported. */
export function progressOfPhases(progress: RunProgress, phases: Iterable<PhaseOfRun>): RunProgress {
  let sums = NOTHING;
  for (const phase of phases) sums = combine(sums, shareOf(phase), 1);
  return { ...progress, ...sums, ...meanPercent(sums) };
}

/** Progress of a run that starts, or takes up again what was over: it counts from what is done now. */
export function resumeRun(progress: RunProgress, atMs: number): RunProgress {
  const percent = meanPercent(progress);
  return { ...progress, ...percent, since_ms: atMs, base_percent: percent.percent ?? 0 };
}

/** Progress of a run that has succeeded. */
export function finishRun(progress: RunProgress): RunProgress {
  return { ...progress, ...ALL_DONE };
}

/**
 * Progress of a run as of now. `eta_sec` is by the rate since it started or resumed: 0 once it has succeeded,
 * `null` while there is no rate to tell by, while a person is waited for, and for a run that does not run.
 *
 * @param nowMs Unix ms
 */
export function runProgressAt(
  run: { readonly status: RunStatus; readonly is_paused: boolean; readonly progress: RunProgress },
  nowMs: number,
): RunProgressDocument {
  const { percent, percent_mode, since_ms: sinceMs, base_percent: base } = run.progress;
  if (run.status === "succeeded") return { percent, percent_mode, eta_sec: 0 };
  const isHeld = run.is_paused || run.progress.asking > 0;
  const isTimed = run.status === "running" && !isHeld && percent !== null && sinceMs !== null;
  // A percent that is held at 100 has more to come, and nothing tells how much.
  const isHeldAtEnd = percent === 100 && percent_mode !== "final";
  if (!isTimed || isHeldAtEnd) return { percent, percent_mode, eta_sec: null };
  return { percent, percent_mode, eta_sec: etaOf(percent - base, 100 - percent, nowMs - sinceMs) };
}

function shareOf({ status, progress, approval }: PhaseOfRun): Sums {
  if (status === "skipped") return NOTHING;
  const points = Math.round((progress.percent ?? 0) * POINTS);
  const mode = status === "running" ? progress.percent_mode : "final";
  const isBound = mode === "lower_bound" || mode === "unavailable";
  const asking = approval === null ? 0 : 1;
  return { phases: 1, points, lower_bounds: isBound ? 1 : 0, estimates: mode === "estimated" ? 1 : 0, asking };
}

function combine(sums: Sums, share: Sums, sign: 1 | -1): Sums {
  return {
    phases: sums.phases + sign * share.phases,
    points: sums.points + sign * share.points,
    lower_bounds: sums.lower_bounds + sign * share.lower_bounds,
    estimates: sums.estimates + sign * share.estimates,
    asking: sums.asking + sign * share.asking,
  };
}

function meanPercent({ phases, points, lower_bounds: bounds, estimates }: Sums): Percent {
  if (phases === 0) return NO_PERCENT;
  const mode: PercentMode = bounds > 0 ? "lower_bound" : estimates > 0 ? "estimated" : "final";
  return { percent: Math.floor(points / phases) / POINTS, percent_mode: mode };
}
