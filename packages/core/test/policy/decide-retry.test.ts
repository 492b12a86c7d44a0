import type { RetryRule } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../../src/policy/backoff.ts";
import { decideRetry, type EndedAttempt } from "../../src/policy/decide-retry.ts";

const rule: RetryRule = { retries: 2, delay_sec: 5, backoff: "exponential", max_delay_sec: 60, jitter: 0.5 };
const failed: EndedAttempt = { cause: "user", rule, userFailures: 1, infraLosses: 0, seed: "s" };
const lost: EndedAttempt = { cause: "infrastructure", rule, userFailures: 0, infraLosses: 1, seed: "s" };

describe("decideRetry", () => {
  test("retries failures as often as the rule says, after the backoff of that many failures", () => {
    expect([1, 2, 3].map((userFailures) => decideRetry({ ...failed, userFailures }))).toEqual([
      { retry: true, delayMs: backoffMs(rule, 1, "s") },
      { retry: true, delayMs: backoffMs(rule, 2, "s") },
      { retry: false },
    ]);
  });

  test("never retries a failure when the rule has no retries", () => {
    expect(decideRetry({ ...failed, rule: { ...rule, retries: 0 } })).toEqual({ retry: false });
  });

  test("retries lost attempts at once, three times unless told otherwise", () => {
    const decisions = [1, 3, 4].map((infraLosses) => decideRetry({ ...lost, infraLosses }));
    expect(decisions).toEqual([{ retry: true, delayMs: 0 }, { retry: true, delayMs: 0 }, { retry: false }]);
    expect(decideRetry({ ...lost, infraLosses: 2, infraLimit: 1 })).toEqual({ retry: false });
  });

  test("counts failures and losses apart", () => {
    expect(decideRetry({ ...failed, infraLosses: 99 }).retry).toBe(true);
    expect(decideRetry({ ...lost, userFailures: 99 }).retry).toBe(true);
  });
});
