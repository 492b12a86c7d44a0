import { duplicateConnection, type RedisClient } from "./redis/redis-client.ts";

/** How long one blocking read waits before it looks at its signal again, in ms. */
const BLOCK_MS = 1_000;
/** Entries taken in one round trip. */
const PAGE = 500;

/** An entry of a Redis stream: its id, and its fields and values in turn. */
export type StreamEntry = [id: string, fields: string[]];

/**
 * Entries of a stream after an id, and then every new one as it comes, until the signal aborts. In order, nothing
 * twice, nothing missed. Uses a connection of its own.
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
      const reply = await blocking.xread("COUNT", PAGE, "BLOCK", BLOCK_MS, "STREAMS", key, last);
      for (const entry of reply?.[0]?.[1] ?? []) {
        [last] = entry;
        yield entry;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    blocking.disconnect();
  }
}
