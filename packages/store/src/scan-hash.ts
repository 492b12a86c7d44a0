import type { RedisClient } from "./redis/redis-client.ts";

/** Fields asked for in one round trip: few enough that records with inline outputs do not hold Redis up. */
const PAGE = 200;

/**
 * Reads a hash page by page, however large it is. What is in it from the beginning to the end comes at least once;
 * what comes or goes in between may.
 */
export async function* scanHash(redis: RedisClient, key: string): AsyncGenerator<[field: string, value: string][]> {
  let cursor = "0";
  do {
    const [next, flat] = await redis.hscan(key, cursor, "COUNT", PAGE);
    cursor = next;
    const page: [string, string][] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) page.push([flat[i] ?? "", flat[i + 1] ?? ""]);
    if (page.length > 0) yield page;
  } while (cursor !== "0");
}
