import { probeRedis, type ProbeOptions } from "./probe-redis.ts";
import { describeAddress, type RedisAddress } from "./redis-address.ts";
import { openClient, type RedisClient } from "./redis-client.ts";
import { RedisHealth } from "./redis-health.ts";

/** How a process uses Redis. */
export type ConnectOptions = ProbeOptions;

/**
 * Connects, and checks that the server can be used. The connection then outlives any interruption: commands wait
 * until the server is back, has memory again, or a master is found. Notices tell when that begins and when it is over.
 *
 * @throws {StoreError} REDIS_UNREACHABLE, REDIS_REFUSED, REDIS_TOO_OLD or REDIS_UNSUITABLE, within 5 s
 */
export async function connectRedis(address: RedisAddress, options: ConnectOptions = {}): Promise<RedisClient> {
  const where = describeAddress(address);
  await probeRedis(address, where, options);
  const health = new RedisHealth(where, options.onNotice ?? (() => undefined));
  const redis = openClient(address, health);
  redis.on("error", (error: Error) => {
    if (/\b(?:WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) health.notLetIn(error.message);
  });
  redis.on("reconnecting", () => health.lost());
  redis.on("ready", () => health.connected());
  return redis;
}
