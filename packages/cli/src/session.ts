import { mkdir } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { RunEngine } from "@fanfold/engine";
import {
  connectRedis,
  DEFAULT_PREFIX,
  FileArtifactStore,
  openStore,
  type RedisAddress,
  type Store,
} from "@fanfold/store";
import type { RedisBinary } from "./embedded-redis/find-redis-server.ts";
import type { EmbeddedRedis } from "./embedded-redis/join-embedded-redis.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { findWorkspace } from "./workspace.ts";

/** Flags of every command, and their environment variables. */
export interface GlobalFlags {
  readonly redis?: string;
  readonly artifacts?: string;
  readonly prefix?: string;
  readonly workspace?: string;
  readonly installRedis?: boolean;
}

/** Where everything is, resolved from flags and environment. */
export interface SessionConfig {
  readonly redisUrl: string | undefined;
  readonly artifactsDir: string;
  readonly prefix: string;
  readonly workspaceDir: string;
  /** `.fanfold` of the workspace. */
  readonly stateDir: string;
}

/** What a command works with; close it when done. */
export interface Session {
  readonly config: SessionConfig;
  readonly store: Store;
  readonly engine: RunEngine;
  /** Whether the server is our own: then nobody else may be there to run anything. */
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

/** Resolves flags (first) and environment (second). @throws {CliError} on a value that makes no sense */
export function resolveConfig(flags: GlobalFlags, env: NodeJS.ProcessEnv, cwd: string): SessionConfig {
  const workspaceDir = resolve(cwd, flags.workspace ?? env.FANFOLD_WORKSPACE ?? findWorkspace(cwd));
  const stateDir = join(workspaceDir, ".fanfold");
  return {
    redisUrl: flags.redis ?? (env.REDIS_URL || undefined),
    artifactsDir: artifactsDirOf(flags.artifacts ?? env.FANFOLD_ARTIFACTS, stateDir, cwd),
    prefix: prefixOf(flags.prefix ?? env.FANFOLD_PREFIX),
    workspaceDir,
    stateDir,
  };
}

function artifactsDirOf(location: string | undefined, stateDir: string, cwd: string): string {
  if (location === undefined || location === "") return join(stateDir, "artifacts");
  const scheme = /^([a-z0-9]+):/.exec(location)?.[1];
  if (scheme !== undefined && scheme !== "file") {
    throw new CliError(EXIT.usage, `artifact store ${location}: only file:<directory> is supported`);
  }
  const path = location.replace(/^file:(\/\/)?/, "");
  return isAbsolute(path) ? path : resolve(cwd, path);
}

function prefixOf(prefix: string | undefined): string {
  if (prefix === undefined || prefix === "") return DEFAULT_PREFIX;
  if (/^\{[^{}\s]+\}$/.test(prefix)) return prefix;
  throw new CliError(EXIT.usage, `key prefix ${JSON.stringify(prefix)} must be one word in braces, such as {fanfold}`);
}

/**
 * Connects to Redis, or starts or joins the embedded one when no URL is given.
 *
 * @throws {StoreError} when Redis cannot be used
 * @throws {EmbeddedRedisError} when there is no server to embed
 */
export async function openSession(flags: GlobalFlags): Promise<Session> {
  const config = resolveConfig(flags, process.env, process.cwd());
  if (config.redisUrl !== undefined) return connect(config, { url: config.redisUrl });
  const embedded = await joinEmbedded(config, flags.installRedis ?? false);
  try {
    return await connect(config, { socketPath: embedded.socketPath }, embedded);
  } catch (error) {
    await embedded.leave();
    throw error;
  }
}

async function connect(config: SessionConfig, address: RedisAddress, embedded?: EmbeddedRedis): Promise<Session> {
  const store = openStore(await connectRedis(address), new FileArtifactStore(config.artifactsDir), config.prefix);
  return {
    config,
    store,
    engine: new RunEngine(store),
    isEmbedded: embedded !== undefined,
    async close() {
      await store.close();
      await embedded?.leave();
    },
  };
}

async function joinEmbedded({ stateDir }: SessionConfig, mayInstall: boolean): Promise<EmbeddedRedis> {
  const { joinEmbeddedRedis } = await import("./embedded-redis/join-embedded-redis.ts");
  const { findRedisServer } = await import("./embedded-redis/find-redis-server.ts");
  await mkdir(stateDir, { recursive: true });
  const cacheFile = join(stateDir, "redis-version.json");
  const found = await findRedisServer(process.env, { cacheFile });
  const binary = found ?? (await obtain(mayInstall));
  return joinEmbeddedRedis({ dir: join(stateDir, "redis"), binary, say });
}

async function obtain(mayInstall: boolean): Promise<RedisBinary> {
  if (!mayInstall && !isInteractive()) {
    const ways = "install Redis 6.2 or newer or Valkey, pass --install-redis, or set REDIS_URL to a server you have";
    throw new CliError(EXIT.environment, `there is no redis-server on PATH; ${ways}`);
  }
  const { obtainRedisServer } = await import("./embedded-redis/obtain-redis-server.ts");
  return obtainRedisServer({ interactive: isInteractive(), ask, say });
}

function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

async function ask(question: string): Promise<boolean> {
  if (!isInteractive()) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
