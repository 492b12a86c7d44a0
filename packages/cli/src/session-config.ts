import { isAbsolute, join, resolve } from "node:path";
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
    redisUrl: flags.redis ?? (env.REDIS_URL || undefined),
    artifactsDir: artifactsDirOf(flags.artifacts ?? env.FANFOLD_ARTIFACTS, stateDir, cwd),
    prefix: prefixOf(flags.prefix ?? env.FANFOLD_PREFIX),
    workspaceDir,
    stateDir,
    signingKey: env.FANFOLD_SIGNING_KEY || undefined,
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

function prefixOf(prefix: string | undefined): string | undefined {
  if (prefix === undefined || prefix === "") return undefined;
  if (/^\{[^{}\s]+\}$/.test(prefix)) return prefix;
  throw new CliError(EXIT.usage, `key prefix ${JSON.stringify(prefix)} must be one word in braces, such as {fanfold}`);
}
