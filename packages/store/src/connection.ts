import { Redis } from "ioredis";
import { StoreError } from "./store-error.ts";

/** Oldest server whose commands the scripts use (LPOS with 6.0.6, what BullMQ asks for with 6.2). */
export const MIN_REDIS_VERSION = "6.2.0";

/** Time a first connection may take before the server counts as unreachable, in ms. */
const FIRST_CONNECT_MS = 2_000;

/** How often a refused first connection is tried again, 200 ms apart. */
const FIRST_CONNECT_TRIES = 8;

/** Where Redis is: a URL (`redis://`, `rediss://`) or the path of a Unix socket. */
export interface RedisAddress {
  readonly url?: string;
  readonly socketPath?: string;
}

/** Address for people: without credentials. */
export function describeAddress(address: RedisAddress): string {
  if (address.socketPath !== undefined) return address.socketPath;
  if (address.url === undefined) return "redis";
  try {
    const url = new URL(address.url);
    url.password = "";
    url.username = "";
    return url.toString();
  } catch {
    return "(malformed REDIS_URL)";
  }
}

/** The settings of ioredis that we use. */
interface ConnectionSettings {
  readonly maxRetriesPerRequest?: null;
  readonly connectTimeout?: number;
  readonly disconnectTimeout?: number;
  readonly retryStrategy: (times: number) => number | null;
}

const COMMON: ConnectionSettings = {
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
};

function open(address: RedisAddress, options: ConnectionSettings): Redis {
  return new Redis(address.socketPath ?? checkUrl(address.url ?? ""), options);
}

function checkUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new StoreError("REDIS_REFUSED", `REDIS_URL is not a URL: ${JSON.stringify(text)}; write redis://host:6379`, {
      cause,
    });
  }
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    throw new StoreError("REDIS_REFUSED", `REDIS_URL must start with redis:// or rediss://, got ${url.protocol}//`);
  }
  return text;
}

/**
 * Connects, and checks that the server answers and is new enough. The connection then outlives any
 * interruption: commands wait until the server is back.
 *
 * @throws {StoreError} REDIS_UNREACHABLE within 5 s, REDIS_REFUSED, REDIS_TOO_OLD
 */
export async function connectRedis(address: RedisAddress): Promise<Redis> {
  const where = describeAddress(address);
  await probe(address, where);
  const redis = open(address, COMMON);
  redis.on("error", () => undefined);
  return redis;
}

function retryStrategy(times: number): number | null {
  return times <= FIRST_CONNECT_TRIES ? 200 : null;
}

/** Asks the server what it is. One that is just starting is given a moment. */
async function probe(address: RedisAddress, where: string): Promise<void> {
  const redis = open(address, { connectTimeout: FIRST_CONNECT_MS, disconnectTimeout: 50, retryStrategy });
  let lastError: unknown;
  redis.on("error", (error) => {
    lastError = error;
  });
  try {
    checkVersion(await withDeadline(redis.info("server"), where), where);
  } catch (error) {
    throw asStoreError(lastError instanceof Error && !(error instanceof StoreError) ? lastError : error, where);
  } finally {
    redis.disconnect();
  }
}

/** Another connection to the same server, for commands that block. Close it with `disconnect()`. */
export function duplicateConnection(redis: Redis): Redis {
  const copy = redis.duplicate();
  copy.on("error", () => undefined);
  return copy;
}

async function withDeadline<T>(promise: Promise<T>, where: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new StoreError("REDIS_UNREACHABLE", unreachable(where, "no answer"));
    timer = setTimeout(() => reject(error), FIRST_CONNECT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(where: string, why: string): string {
  return `redis at ${where} cannot be reached (${why}); check that it runs and that REDIS_URL is right, or unset REDIS_URL to use an embedded one`;
}

function asStoreError(error: unknown, where: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/WRONGPASS|NOAUTH|NOPERM|invalid password|AUTH/i.test(message)) {
    return new StoreError("REDIS_REFUSED", `redis at ${where} refused the credentials: ${message}`, { cause: error });
  }
  return new StoreError("REDIS_UNREACHABLE", unreachable(where, message), { cause: error });
}

function checkVersion(info: string, where: string): void {
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "0";
  if (compareVersions(version, MIN_REDIS_VERSION) < 0) {
    throw new StoreError("REDIS_TOO_OLD", `redis at ${where} is ${version}; ${MIN_REDIS_VERSION} or newer is needed`);
  }
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i += 1) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
