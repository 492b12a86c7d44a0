import { expect, test } from "vitest";
import {
  etaOf,
  holdPercent,
  metricEtaSec,
  type MetricView,
  NO_PERCENT,
  percentOf,
} from "../../src/view/progress-metric.ts";

function amountOf(completed: number, total: number | null, total_status: MetricView["total_status"] = "locked") {
  return { metric_key: "lines", unit: "lines", completed, total, total_status };
}

test.each<[number, number | null, MetricView["total_status"], [number | null, string]]>([
  [0, null, "unknown", [null, "unavailable"]],
  [3, 10, "discovering", [30, "lower_bound"]],
  [3, 10, "estimated", [30, "estimated"]],
  [3, 10, "locked", [30, "final"]],
  [1, 3, "locked", [33.33, "final"]],
  [29, 100, "locked", [29, "final"]],
  [99_999, 100_000, "locked", [99.99, "final"]],
  [10, 10, "locked", [100, "final"]],
  [11, 10, "locked", [100, "final"]],
  [0, 0, "locked", [100, "final"]],
  [10, 10, "estimated", [99, "estimated"]],
  [10, 10, "discovering", [99, "lower_bound"]],
  [0, 0, "discovering", [99, "lower_bound"]],
])("%d of %s, %s, is %s percent", (completed, total, status, [percent, mode]) => {
  expect(percentOf(amountOf(completed, total, status))).toEqual({ percent, percent_mode: mode });
});

test("shows the fresh percent unless it would be a step back", () => {
  const before = { percent: 40, percent_mode: "estimated" } as const;
  const ahead = { percent: 41, percent_mode: "lower_bound" } as const;
  const level = { percent: 40, percent_mode: "final" } as const;
  expect(holdPercent(before, ahead)).toEqual(ahead);
  expect(holdPercent(before, level)).toEqual(level);
  expect(holdPercent({ percent: null, percent_mode: "unavailable" }, before)).toEqual(before);
});

test("takes over the percent, and nothing else of what it is told", () => {
  const held = holdPercent({ ...amountOf(4, 10), percent: 40, percent_mode: "final" as const }, NO_PERCENT);
  expect(held).toEqual({ percent: 40, percent_mode: "estimated" });
});

test("holds a percent with the mode it had, which is never final", () => {
  const back = { percent: 10, percent_mode: "final" } as const;
  const gone = { percent: null, percent_mode: "unavailable" } as const;
  for (const fresh of [back, gone]) {
    expect(holdPercent({ percent: 40, percent_mode: "final" }, fresh)).toEqual({
      percent: 40,
      percent_mode: "estimated",
    });
    expect(holdPercent({ percent: 40, percent_mode: "lower_bound" }, fresh)).toEqual({
      percent: 40,
      percent_mode: "lower_bound",
    });
  }
});

test("tells the time left by the rate so far, rounded up", () => {
  expect(etaOf(1, 3, 2_000)).toBe(6);
  expect(etaOf(3, 1, 1_000)).toBe(0.4);
  expect(etaOf(1_000_000, 1, 1)).toBe(0.1);
});

test("tells no time left without a rate, and none where nothing is left", () => {
  expect(etaOf(0, 3, 2_000)).toBeNull();
  expect(etaOf(-1, 3, 2_000)).toBeNull();
  expect(etaOf(1, 3, 0)).toBeNull();
  expect(etaOf(Number.MIN_VALUE, Number.MAX_VALUE, 1_000)).toBeNull();
  expect(etaOf(0, 0, 0)).toBe(0);
});

test("counts the rate from where the phase last started", () => {
  const metric = { ...amountOf(8, 10), ...percentOf(amountOf(8, 10)), base: 6 };
  expect(metricEtaSec(metric, 5_000)).toBe(5);
});

test("tells no time left while a total is unknown, discovered, or has proved too low", () => {
  for (const amount of [amountOf(5, null, "unknown"), amountOf(5, 9, "discovering"), amountOf(9, 9, "estimated")]) {
    expect(metricEtaSec({ ...amount, ...percentOf(amount), base: 0 }, 1_000)).toBeNull();
  }
});
