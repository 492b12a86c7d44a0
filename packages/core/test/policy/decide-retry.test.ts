import type { RetryRule } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../../src/policy/backoff.ts";
import { decideRetry, type EndedAttempt } from "../../src/policy/decide-retry.ts";

const rule: RetryRule = {
  retries: 2,
  delay_sec: 5,
  backoff: "exponential",
  max_delay_sec: 60,
  jitter: 0.5,
  on_timeout: true,
  only_exit_codes: null,
  never_exit_codes: [],
};
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

  test.each<readonly [what: string, rule: Partial<RetryRule>, ended: Partial<EndedAttempt>, retry: boolean]>([
    ["a timeout", {}, { timedOut: true }, true],
    ["a timeout where these are not retried", { on_timeout: false }, { timedOut: true }, false],
    ["a failure where timeouts are not retried", { on_timeout: false }, { exitCode: 1 }, true],
    [
      "a timeout whatever the exit code it ended with",
      { never_exit_codes: [143] },
      { timedOut: true, exitCode: 143 },
      true,
    ],
    ["a timeout whatever exit codes are listed", { only_exit_codes: [75] }, { timedOut: true, exitCode: 143 }, true],
    ["any exit code", {}, { exitCode: 255 }, true],
    ["an exit code that is listed", { only_exit_codes: [75, 111] }, { exitCode: 111 }, true],
    ["an exit code that is not listed", { only_exit_codes: [75, 111] }, { exitCode: 1 }, false],
    ["any exit code where the list is empty", { only_exit_codes: [] }, { exitCode: 1 }, false],
    ["an exit code that is excluded", { never_exit_codes: [2] }, { exitCode: 2 }, false],
    ["an exit code beside those excluded", { never_exit_codes: [2] }, { exitCode: 3 }, true],
    ["an exit code both listed and excluded", { only_exit_codes: [2], never_exit_codes: [2] }, { exitCode: 2 }, false],
    ["a failure without an exit code", { only_exit_codes: [75], never_exit_codes: [1] }, {}, true],
    [
      "a listed exit code once the retries are used up",
      { only_exit_codes: [75] },
      { exitCode: 75, userFailures: 3 },
      false,
    ],
    ["a timeout once the retries are used up", {}, { timedOut: true, userFailures: 3 }, false],
  ])("judges %s", (_what, change, ended, retry) => {
    const decision = decideRetry({ ...failed, ...ended, rule: { ...rule, ...change } });
    const expected = retry ? { retry: true, delayMs: backoffMs(rule, 1, "s") } : { retry: false };
    expect(decision).toEqual(expected);
  });

  test("retries a lost attempt whatever the rule says of timeouts and exit codes", () => {
    const strict: RetryRule = { ...rule, on_timeout: false, only_exit_codes: [], never_exit_codes: [137] };
    expect(decideRetry({ ...lost, rule: strict, timedOut: true, exitCode: 137 })).toEqual({ retry: true, delayMs: 0 });
  });
});
