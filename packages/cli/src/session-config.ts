import { join, resolve } from "node:path";
import type { ArtifactLocation, RedisAddress } from "@fanfold/store";
import { parseArtifactLocation } from "./artifact-location.ts";
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
  /** The server to use; an embedded one when undefined. */
  readonly redis: RedisAddress | undefined;
  /** Whether a Redis that may throw keys away is put up with. */
  readonly allowsEviction: boolean;
  readonly artifacts: ArtifactLocation;
  /** Key prefix of the deployment; the usual one when undefined. */
  readonly prefix: string | undefined;
  readonly workspaceDir: string;
  /** `.fanfold` of the workspace. */
  readonly stateDir: string;
  /** Key that plans are signed and checked with; neither happens without one. */
  readonly signingKey: string | undefined;
}

/** Resolves flags (first) and environment (second). @throws {CliError} on a value that makes no sense */
export function resolveConfig(flags: GlobalFlags, env: NodeJS.ProcessEnv, cwd: string): SessionConfig {
  const workspaceDir = resolve(cwd, flags.workspace ?? env.FANFOLD_WORKSPACE ?? findWorkspace(cwd));
  const stateDir = join(workspaceDir, ".fanfold");
  return {
    redis: redisAddressOf(flags.redis ?? env.REDIS_URL, env),
    allowsEviction: env.FANFOLD_ALLOW_EVICTION === "1",
    artifacts: parseArtifactLocation(
      (flags.artifacts ?? env.FANFOLD_ARTIFACTS) || join(stateDir, "artifacts"),
      env,
      cwd,
    ),
    prefix: prefixOf(flags.prefix ?? env.FANFOLD_PREFIX),
    workspaceDir,
    stateDir,
    signingKey: env.FANFOLD_SIGNING_KEY || undefined,
  };
}

/** Address of a server, with what the environment says of TLS and Sentinels; undefined without a URL. */
export function redisAddressOf(url: string | undefined, env: NodeJS.ProcessEnv): RedisAddress | undefined {
  if (url === undefined || url === "") return undefined;
  return {
    url,
    tls: {
      ...(env.FANFOLD_REDIS_CA ? { caFile: env.FANFOLD_REDIS_CA } : {}),
      ...(env.FANFOLD_REDIS_CERT ? { certFile: env.FANFOLD_REDIS_CERT } : {}),
      ...(env.FANFOLD_REDIS_KEY ? { keyFile: env.FANFOLD_REDIS_KEY } : {}),
    },
    sentinelLogin: {
      ...(env.FANFOLD_SENTINEL_USERNAME ? { username: env.FANFOLD_SENTINEL_USERNAME } : {}),
      ...(env.FANFOLD_SENTINEL_PASSWORD ? { password: env.FANFOLD_SENTINEL_PASSWORD } : {}),
    },
  };
}

function prefixOf(prefix: string | undefined): string | undefined {
  if (prefix === undefined || prefix === "") return undefined;
  if (/^\{[^{}\s]+\}$/.test(prefix)) return prefix;
  throw new CliError(EXIT.usage, `key prefix ${JSON.stringify(prefix)} must be one word in braces, such as {fanfold}`);
}
