import { setTimeout as sleep } from "node:timers/promises";

/** How often and how long {@link pollFor} asks. */
export interface PollLimits {
  intervalMs: number;
  limitMs: number;
}

/**
 * Asks `probe` at once and then again and again, one call at a time, until it gives a value.
 * For what announces itself by no event: files and processes of others.
 *
 * @returns the value, or `undefined` when the limit has passed without one
 */
export async function pollFor<T>(
  probe: () => Promise<T | undefined>,
  { intervalMs, limitMs }: PollLimits,
): Promise<T | undefined> {
  const startedAtMs = performance.now();
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() - startedAtMs >= limitMs) return undefined;
    await sleep(intervalMs);
  }
}
