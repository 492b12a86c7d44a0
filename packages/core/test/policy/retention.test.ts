import { array, assert, constantFrom, integer, option, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { expiredRuns, type RunAge } from "../../src/policy/retention.ts";

const DAY_MS = 24 * 3_600_000;
const NOW_MS = 100 * DAY_MS;

function ended(runId: string, daysAgo: number): RunAge {
  const finishedAtMs = NOW_MS - daysAgo * DAY_MS;
  return { runId, createdAtMs: finishedAtMs - 1_000, finishedAtMs };
}

const RUNS = [ended("new", 0.5), ended("day", 1.5), ended("week", 8), ended("month", 31)];

describe("expiredRuns", () => {
  test("keeps everything without a limit", () => {
    expect(expiredRuns(RUNS, {}, NOW_MS)).toEqual([]);
  });

  test("keeps the latest runs, and removes the oldest first", () => {
    expect(expiredRuns(RUNS, { keepRuns: 2 }, NOW_MS)).toEqual(["month", "week"]);
    expect(expiredRuns(RUNS, { keepRuns: 0 }, NOW_MS)).toEqual(["month", "week", "day", "new"]);
  });

  test("keeps what ended within some days", () => {
    expect(expiredRuns(RUNS, { keepDays: 7 }, NOW_MS)).toEqual(["month", "week"]);
    expect(expiredRuns(RUNS, { keepDays: 30 }, NOW_MS)).toEqual(["month"]);
  });

  test("removes only what is beyond both limits", () => {
    expect(expiredRuns(RUNS, { keepRuns: 3, keepDays: 1 }, NOW_MS)).toEqual(["month"]);
    expect(expiredRuns(RUNS, { keepRuns: 1, keepDays: 30 }, NOW_MS)).toEqual(["month"]);
  });

  test("neither removes nor counts a run that is not over", () => {
    const live = { runId: "live", createdAtMs: 0, finishedAtMs: undefined };
    expect(expiredRuns([live, ...RUNS], { keepRuns: 1 }, NOW_MS)).toEqual(["month", "week", "day"]);
  });

  test("keeps at least the runs of each limit by itself, in whatever order they come", () => {
    const run = record({
      createdAtMs: integer({ min: 0, max: NOW_MS }),
      lastsMs: option(integer({ min: 0, max: 10 * DAY_MS }), { nil: undefined }),
    });
    const limit = constantFrom(undefined, 0, 1, 3, 20);
    assert(
      property(array(run, { maxLength: 12 }), limit, limit, (drafts, keepRuns, keepDays) => {
        const runs = drafts.map(({ createdAtMs, lastsMs }, i) => ({
          runId: `r${i}`,
          createdAtMs,
          finishedAtMs: lastsMs === undefined ? undefined : createdAtMs + lastsMs,
        }));
        const limits = {
          ...(keepRuns === undefined ? {} : { keepRuns }),
          ...(keepDays === undefined ? {} : { keepDays }),
        };
        const removed = expiredRuns(runs, limits, NOW_MS);
        expect(expiredRuns(runs.toReversed(), limits, NOW_MS)).toEqual(removed);
        const over = runs.filter(({ finishedAtMs }) => finishedAtMs !== undefined);
        expect(removed.length).toBeLessThanOrEqual(Math.max(0, over.length - (keepRuns ?? 0)));
        const byId = new Map(over.map((one) => [one.runId, one]));
        for (const id of removed) {
          expect(byId.get(id)?.finishedAtMs).toBeLessThan(NOW_MS - (keepDays ?? -100) * DAY_MS);
        }
      }),
    );
  });
});
