import type { RetryRule } from "@fanfold/schemas";
import { backoffMs } from "./backoff.ts";

/** Attempts of a shard that may be lost to dead workers before the shard fails. */
export const DEFAULT_INFRA_LIMIT = 3;

/** What is known about a shard whose attempt just ended without success. */
export interface EndedAttempt {
  /** `user`: the work failed or timed out. `infrastructure`: its worker died. The two are counted apart. */
  cause: "user" | "infrastructure";
  rule: RetryRule;
  /** Whether the attempt ran out of time. */
  timedOut?: boolean;
  /** Exit code of the attempt's command, where it had one. */
  exitCode?: number | undefined;
  /** Attempts that failed by their own fault, this one included if it did. */
  userFailures: number;
  /** Attempts lost to dead workers, this one included if it was. */
  infraLosses: number;
  /** Losses after which a further try is made. Default {@link DEFAULT_INFRA_LIMIT}. */
  infraLimit?: number;
  /** What the spread of the wait is drawn from; see {@link retrySeed}. */
  seed: string;
}

/** Whether a shard is tried again, and after how long. */
export type RetryDecision = { retry: true; delayMs: number } | { retry: false };

/**
 * Whether a shard is tried again. Failures of its own are retried `retries` times, after a backoff that grows with
 * these failures only; lost attempts are retried at once, up to their own limit.
 */
export function decideRetry(ended: EndedAttempt): RetryDecision {
  const { cause, rule, userFailures, infraLosses, infraLimit = DEFAULT_INFRA_LIMIT, seed } = ended;
  if (cause === "infrastructure") return infraLosses <= infraLimit ? { retry: true, delayMs: 0 } : { retry: false };
  if (userFailures > rule.retries || !isRetryable(ended)) return { retry: false };
  return { retry: true, delayMs: backoffMs(rule, userFailures, seed) };
}

/** Whether the rule wants this kind of failure to be tried again at all. */
function isRetryable({ rule, timedOut = false, exitCode }: EndedAttempt): boolean {
  if (timedOut) return rule.on_timeout;
  if (exitCode === undefined) return true;
  if (rule.never_exit_codes.includes(exitCode)) return false;
  return rule.only_exit_codes === null || rule.only_exit_codes.includes(exitCode);
}
