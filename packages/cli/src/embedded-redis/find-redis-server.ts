import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import { findOnPath, isExecutable } from "./find-on-path.ts";
import { loadCachedVersion, saveCachedVersion } from "./version-cache.ts";

/** A server binary that can be started: where it is, and its own version number. */
export interface RedisBinary {
  path: string;
  version: string;
}

/** Where to look for the server and where to remember what was found. */
export interface FindRedisServerOptions {
  /** File that keeps the version of the binary seen last, so that the next look need not start it. */
  cacheFile?: string;
}

const SERVER_NAMES = ["redis-server", "valkey-server"];
const OLDEST_REDIS: readonly [major: number, minor: number] = [6, 2];
const VERSION_TIMEOUT_MS = 5_000;
const NEXT_STEP =
  "install Redis 6.2 or newer or Valkey and name its server in FANFOLD_REDIS_SERVER, or set REDIS_URL to use a server you have";

const runFile = promisify(execFile);

/**
 * Looks for a Redis server binary: the one named by `FANFOLD_REDIS_SERVER`, else `redis-server`, then
 * `valkey-server`, on `PATH`. A binary on `PATH` that is too old is passed over when a newer one follows.
 *
 * @returns `undefined` when there is none at all
 * @throws {EmbeddedRedisError} `BINARY_MISSING` when `FANFOLD_REDIS_SERVER` names no executable file,
 *   `BINARY_UNUSABLE` when the binary does not tell its version, `BINARY_TOO_OLD` below Redis 6.2
 */
export async function findRedisServer(
  env: NodeJS.ProcessEnv,
  { cacheFile }: FindRedisServerOptions = {},
): Promise<RedisBinary | undefined> {
  const named = env["FANFOLD_REDIS_SERVER"];
  if (named !== undefined && named !== "") return await loadNamedBinary(named, cacheFile);

  let refusal: unknown;
  for (const name of SERVER_NAMES) {
    const path = await findOnPath(name, env);
    if (path === undefined) continue;
    try {
      return await loadBinary(path, cacheFile);
    } catch (error) {
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  return undefined;
}

/**
 * Reads the answer of `redis-server --version` or `valkey-server --version`.
 *
 * @returns `undefined` when the text is not such an answer
 */
export function parseServerVersion(answer: string): { version: string; isNewEnough: boolean } | undefined {
  const match = /\bv=((\d+)\.(\d+)(?:\.\d+)*)/.exec(answer);
  if (match?.[1] === undefined) return undefined;
  const [major, minor] = [Number(match[2]), Number(match[3])];
  const isNewRedis = major > OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor >= OLDEST_REDIS[1]);
  return { version: match[1], isNewEnough: isNewRedis || /valkey/i.test(answer) };
}

async function loadNamedBinary(path: string, cacheFile: string | undefined): Promise<RedisBinary> {
  if (await isExecutable(path)) return await loadBinary(path, cacheFile);
  throw new EmbeddedRedisError(
    "BINARY_MISSING",
    `FANFOLD_REDIS_SERVER names ${path}, which is not an executable file; correct it, or unset it to look on PATH`,
  );
}

async function loadBinary(path: string, cacheFile: string | undefined): Promise<RedisBinary> {
  const { mtimeMs, size } = await stat(path);
  const stamp = { path, mtimeMs, size };
  const cached = cacheFile === undefined ? undefined : await loadCachedVersion(cacheFile, stamp);
  if (cached !== undefined) return { path, version: cached };
  const version = await askVersion(path);
  if (cacheFile !== undefined) await saveCachedVersion(cacheFile, stamp, version);
  return { path, version };
}

async function askVersion(path: string): Promise<string> {
  const answer = parseServerVersion(await runVersion(path));
  if (answer === undefined) {
    throw new EmbeddedRedisError("BINARY_UNUSABLE", `${path} --version names no Redis version; ${NEXT_STEP}`);
  }
  if (!answer.isNewEnough) {
    throw new EmbeddedRedisError("BINARY_TOO_OLD", `${path} is Redis ${answer.version}, older than 6.2; ${NEXT_STEP}`);
  }
  return answer.version;
}

async function runVersion(path: string): Promise<string> {
  try {
    return (await runFile(path, ["--version"], { timeout: VERSION_TIMEOUT_MS })).stdout;
  } catch (cause) {
    throw new EmbeddedRedisError("BINARY_UNUSABLE", `${path} --version failed; ${NEXT_STEP}`, { cause });
  }
}
