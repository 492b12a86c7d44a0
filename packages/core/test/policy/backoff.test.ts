import type { RetryRule } from "@fanfold/schemas";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs, retrySeed } from "../../src/policy/backoff.ts";

const exact: RetryRule = {
  retries: 9,
  delay_sec: 5,
  backoff: "exponential",
  max_delay_sec: 60,
  jitter: 0,
  on_timeout: true,
  only_exit_codes: null,
  never_exit_codes: [],
};

describe("backoffMs", () => {
  test("doubles an exponential wait up to its cap", () => {
    expect([1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(exact, attempt, "s"))).toEqual([
      5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ]);
  });

  test("keeps a fixed wait", () => {
    expect([1, 2, 50].map((attempt) => backoffMs({ ...exact, backoff: "fixed" }, attempt, "s"))).toEqual([
      5_000, 5_000, 5_000,
    ]);
  });

  test("does not overflow", () => {
    expect(backoffMs(exact, 1_000_000, "s")).toBe(60_000);
    expect(backoffMs({ ...exact, delay_sec: 0 }, 1_000_000, "s")).toBe(0);
  });

  test("refuses attempts that do not count from 1", () => {
    expect(() => backoffMs(exact, 0, "s")).toThrow(RangeError);
    expect(() => backoffMs(exact, 1.5, "s")).toThrow(RangeError);
  });

  test("is a whole number within the spread around the wait without jitter, and the same for the same seed", () => {
    const rules = fc.record({
      retries: fc.nat(10),
      delay_sec: fc.double({ min: 0, max: 2_592_000, noNaN: true }),
      backoff: fc.constantFrom("fixed" as const, "exponential" as const),
      max_delay_sec: fc.double({ min: 0, max: 2_592_000, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      on_timeout: fc.boolean(),
      only_exit_codes: fc.constant(null),
      never_exit_codes: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 2_000 }), fc.string(), (rule, attempt, seed) => {
        const waitMs = backoffMs(rule, attempt, seed);
        const plainMs = backoffMs({ ...rule, jitter: 0 }, attempt, seed);
        expect(Number.isInteger(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(Math.max(0, plainMs * (1 - rule.jitter) - 2));
        expect(waitMs).toBeLessThanOrEqual(plainMs * (1 + rule.jitter) + 2);
        expect(plainMs).toBeLessThanOrEqual(Math.round(rule.max_delay_sec * 1_000));
        expect(backoffMs(rule, attempt, seed)).toBe(waitMs);
      }),
    );
  });

  test("spreads the shards of a phase with jitter", () => {
    const rule: RetryRule = { ...exact, jitter: 0.2 };
    const waits = Array.from({ length: 100 }, (_, shard) =>
      backoffMs(rule, 1, retrySeed("run_1", "translate", shard, 1)),
    );
    expect(new Set(waits).size).toBeGreaterThan(80);
    const [shortest, longest] = [Math.min(...waits), Math.max(...waits)];
    expect(shortest).toBeGreaterThanOrEqual(4_000);
    expect(shortest).toBeLessThan(4_200);
    expect(longest).toBeGreaterThan(5_800);
    expect(longest).toBeLessThanOrEqual(6_000);
  });
});
