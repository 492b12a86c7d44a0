import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { RunEngine } from "@fanfold/engine";
import {
  connectRedis,
  type OnRedisNotice,
  openArtifactStore,
  openStore,
  PlanSigner,
  type RedisAddress,
  type Store,
} from "@fanfold/store";
import type { RedisBinary } from "./embedded-redis/find-redis-server.ts";
import type { EmbeddedRedis } from "./embedded-redis/join-embedded-redis.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { type GlobalFlags, resolveConfig, type SessionConfig } from "./session-config.ts";

/** What a command works with; close it when done. */
export interface Session {
  readonly config: SessionConfig;
  readonly store: Store;
  readonly engine: RunEngine;
  /** Whether the server is our own: then nobody else may be there to run anything. */
  readonly isEmbedded: boolean;
  /** Sends what there is to say of the connection somewhere else than to standard error. */
  onRedisNotice(listener: OnRedisNotice): void;
  close(): Promise<void>;
}

/**
 * Connects to Redis, or starts or joins the embedded one when no URL is given.
 *
 * @throws {StoreError} when Redis cannot be used
 * @throws {EmbeddedRedisError} when there is no server to embed
 */
export async function openSession(flags: GlobalFlags): Promise<Session> {
  const config = resolveConfig(flags, process.env, process.cwd());
  if (config.redis !== undefined) return connect(config, config.redis);
  const embedded = await joinEmbedded(config, flags.installRedis ?? false);
  try {
    return await connect(config, { socketPath: embedded.socketPath }, embedded);
  } catch (error) {
    await embedded.leave();
    throw error;
  }
}

async function connect(config: SessionConfig, address: RedisAddress, embedded?: EmbeddedRedis): Promise<Session> {
  const notices = new RedisNotices();
  const redis = await connectRedis(address, {
    ...(config.prefix === undefined ? {} : { prefix: config.prefix }),
    allowsEviction: config.allowsEviction,
    onNotice: notices.take,
  });
  const signer = config.signingKey === undefined ? undefined : new PlanSigner(config.signingKey);
  const store = openStore(redis, openArtifactStore(config.artifacts), config.prefix, signer);
  return {
    config,
    store,
    engine: new RunEngine(store),
    isEmbedded: embedded !== undefined,
    onRedisNotice: notices.sendTo,
    async close() {
      await store.close();
      await embedded?.leave();
    },
  };
}

/** Where what is to be said of the connection goes: standard error, until a service has its log. */
class RedisNotices {
  #listener: OnRedisNotice = ({ message }) => say(`fanfold: ${message}`);

  readonly take: OnRedisNotice = (notice) => this.#listener(notice);

  readonly sendTo = (listener: OnRedisNotice): void => {
    this.#listener = listener;
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
