const DAY_MS = 24 * 3_600_000;

/** What retention judges a run by. Times in Unix ms. */
export interface RunAge {
  readonly runId: string;
  readonly createdAtMs: number;
  /** Undefined while the run is not over. */
  readonly finishedAtMs: number | undefined;
}

/** What is kept of the runs that are over. A limit that is missing keeps nothing by itself. */
export interface RetentionLimits {
  /** The latest so many, by the time they were submitted. */
  readonly keepRuns?: number;
  /** Those that ended within so many days. */
  readonly keepDays?: number;
}

/** Whether there is any limit: without one everything is kept. */
export function hasLimit({ keepRuns, keepDays }: RetentionLimits): boolean {
  return keepRuns !== undefined || keepDays !== undefined;
}

/**
 * Ids of the runs to remove, the oldest first: those that are over and beyond every limit given. A run that is not over
 * is never among them, and does not count.
 */
export function expiredRuns(runs: readonly RunAge[], limits: RetentionLimits, nowMs: number): string[] {
  if (!hasLimit(limits)) return [];
  const { keepRuns = 0, keepDays } = limits;
  const sinceMs = keepDays === undefined ? Number.POSITIVE_INFINITY : nowMs - keepDays * DAY_MS;
  const latestFirst = runs.filter(({ finishedAtMs }) => finishedAtMs !== undefined).sort(byAge);
  const beyond = latestFirst.slice(keepRuns).filter(({ finishedAtMs = 0 }) => finishedAtMs < sinceMs);
  return beyond.toReversed().map(({ runId }) => runId);
}

/** The latest first; the id decides between runs of one millisecond, so that every process decides alike. */
function byAge(a: RunAge, b: RunAge): number {
  if (a.createdAtMs !== b.createdAtMs) return b.createdAtMs - a.createdAtMs;
  return a.runId < b.runId ? 1 : -1;
}
