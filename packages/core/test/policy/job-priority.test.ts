import { expect, test } from "vitest";
import { jobPriority } from "../../src/policy/job-priority.ts";

test("is never 0 and never more than BullMQ takes", () => {
  expect(jobPriority(100, 1)).toBe(1);
  expect(jobPriority(100, 0)).toBe(1);
  expect(jobPriority(-100, 1_000_000)).toBe(2_010_000);
});

test("puts a higher priority before every lower one, however many shards are in flight", () => {
  expect(jobPriority(1, 1_000_000)).toBeLessThan(jobPriority(0, 1));
});

test("puts the second shard of a run behind the first one of another", () => {
  expect(jobPriority(0, 2)).toBeGreaterThan(jobPriority(0, 1));
});
