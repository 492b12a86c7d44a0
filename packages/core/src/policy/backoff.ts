import type { RetryRule } from "@fanfold/schemas";
import { seededUnit } from "./seeded-unit.ts";

/** Above this power of two, any delay in use has long reached its cap, and a product may overflow. */
const MAX_DOUBLINGS = 1023;

/**
 * Wait before the next attempt of a shard: `delay_sec`, doubled with every attempt if exponential, capped at
 * `max_delay_sec`, then spread by `jitter` around that. The same seed gives the same wait.
 *
 * @param attempt attempt that failed, counted from 1
 * @param seed    what the spread is drawn from; see {@link retrySeed}
 * @returns whole milliseconds, from 0 to `max_delay_sec` · (1 + `jitter`) seconds
 * @throws {RangeError} when `attempt` is not a whole number from 1
 */
export function backoffMs(rule: RetryRule, attempt: number, seed: string): number {
  if (!Number.isInteger(attempt) || attempt < 1) throw new RangeError(`attempt counts from 1, got ${attempt}`);
  const doublings = rule.backoff === "exponential" ? Math.min(attempt - 1, MAX_DOUBLINGS) : 0;
  const delaySec = Math.min(rule.delay_sec * 2 ** doublings, rule.max_delay_sec);
  const spread = 1 + rule.jitter * (2 * seededUnit(seed) - 1);
  return Math.round(delaySec * spread * 1000);
}

/** Seed of the wait after one attempt of one shard. Ids hold no `/`, so different attempts have different seeds. */
export function retrySeed(runId: string, phase: string, shard: number, attempt: number): string {
  return `${runId}/${phase}/${shard}/${attempt}`;
}
