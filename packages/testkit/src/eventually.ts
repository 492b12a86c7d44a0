/** How {@link eventually} waits. */
export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Calls `check` until it neither throws nor returns false, and gives what it returned. The one poller of the
 * test suite.
 *
 * @throws the last error, with the time waited, when the deadline passes
 */
export async function eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 10_000, everyMs = 10 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      const value = await check();
      if (value !== false) return value;
      if (performance.now() > deadline) throw new Error("still false");
    } catch (cause) {
      if (performance.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${String(cause)}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
