import { setTimeout as pause } from "node:timers/promises";
import { duplicateConnection, type RedisClient } from "./redis/redis-client.ts";

/** How long one blocking read waits before it looks at its signal again, in ms. */
const BLOCK_MS = 1_000;
/** Entries taken in one round trip. */
const PAGE = 500;

/** While entries come faster than this, in ms, they are gathered for as long: a read for each would cost their writers. */
const GATHER_MS = 2;

/** An entry of a Redis stream: its id, and its fields and values in turn. */
export type StreamEntry = [id: string, fields: string[]];

/**
 * Entries of a stream after an id, and then every new one as it comes, until the signal aborts. In order, nothing
 * twice, nothing missed. What comes after a quiet time is given at once; under load it is some milliseconds late. Uses a
 * connection of its own.
 */
export async function* followStream(
  redis: RedisClient,
  key: string,
  afterId: string,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<StreamEntry> {
  const blocking = duplicateConnection(redis);
  const stop = (): void => blocking.disconnect();
  signal.addEventListener("abort", stop, { once: true });
  let last = afterId;
  try {
    while (!signal.aborted) {
      const askedAtMs = performance.now();
      const reply = await blocking.xread("COUNT", PAGE, "BLOCK", BLOCK_MS, "STREAMS", key, last);
      const entries = reply?.[0]?.[1] ?? [];
      const waitedMs = performance.now() - askedAtMs;
      for (const entry of entries) {
        [last] = entry;
        yield entry;
      }
      if (waitedMs < GATHER_MS && entries.length < PAGE) await pause(GATHER_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    blocking.disconnect();
  }
}
