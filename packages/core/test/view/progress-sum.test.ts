import * as fc from "fast-check";
import { expect, test } from "vitest";
import { addReport, amountOfSum, type MetricSum, type ReportedMetric } from "../../src/view/progress-sum.ts";

function lines(completed: number, total: number | null): ReportedMetric {
  return { metric_key: "lines", unit: "lines", completed, total };
}

function sumOf(...reports: ReportedMetric[]): MetricSum {
  let sum: MetricSum | undefined;
  for (const report of reports) sum = addReport(sum, undefined, report);
  if (sum === undefined) throw new Error("a sum needs a report");
  return sum;
}

test("knows no total before a shard does", () => {
  expect(amountOfSum(sumOf(lines(3, null), lines(4, null)), 5)).toEqual({
    metric_key: "lines",
    unit: "lines",
    completed: 7,
    total: null,
    total_status: "unknown",
  });
});

test("discovers a total while a shard that works does not know its own", () => {
  const amount = amountOfSum(sumOf(lines(3, 10), lines(40, null)), 5);
  expect(amount).toMatchObject({ completed: 43, total: 43, total_status: "discovering" });
});

test("takes shards that have not reported to be like those that have", () => {
  const amount = amountOfSum(sumOf(lines(3, 10), lines(5, 20)), 5);
  expect(amount).toMatchObject({ completed: 8, total: 75, total_status: "estimated" });
});

test("locks the total once every shard knows its own", () => {
  const sum = sumOf(lines(3, 10), lines(5, 20));
  expect(amountOfSum(sum, 2)).toMatchObject({ completed: 8, total: 30, total_status: "locked" });
});

test("does not wait for shards that ended without a word", () => {
  const shardCount = 1_000;
  const silent = 998;
  expect(amountOfSum(sumOf(lines(3, 10), lines(5, 20)), shardCount - silent).total_status).toBe("locked");
});

const anyReport = fc
  .tuple(fc.nat({ max: 100 }), fc.option(fc.nat({ max: 100 })))
  .map(([completed, total]) => lines(completed, total));

test("adding reports one by one equals summing the latest of each shard", () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 4 }), anyReport), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(steps, (reports) => {
      const latest = new Map<number, ReportedMetric>();
      let sum: MetricSum | undefined;
      for (const [shard, report] of reports) {
        sum = addReport(sum, latest.get(shard), report);
        latest.set(shard, report);
      }
      expect(sum).toEqual(sumOf(...latest.values()));
    }),
  );
});
