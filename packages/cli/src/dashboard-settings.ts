import { readFileSync } from "node:fs";
import type { DashboardErrorCode, DashboardSettings } from "@fanfold/dashboard";
import { CliError, EXIT, type ExitCode } from "./exit-codes.ts";

/** Flags of the commands that show the dashboard. */
export interface DashboardFlags {
  readonly port?: number;
  readonly host?: string;
  readonly basePath?: string;
  readonly trustProxy?: boolean;
}

/** Settings of a dashboard: flags first, the environment second. @throws {CliError} when a file cannot be read */
export function dashboardSettings(flags: DashboardFlags, env: NodeJS.ProcessEnv): DashboardSettings {
  const { port, host, basePath, trustProxy = false } = flags;
  const [users, tokens] = [textOf(env.FANFOLD_USERS, "FANFOLD_USERS"), textOf(env.FANFOLD_TOKENS, "FANFOLD_TOKENS")];
  return {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(basePath === undefined ? {} : { basePath }),
    ...(env.FANFOLD_SESSION_KEY ? { sessionKey: env.FANFOLD_SESSION_KEY } : {}),
    users,
    tokens,
    isProxyTrusted: trustProxy,
    isUnsafeAllowed: env.FANFOLD_DASHBOARD_UNSAFE === "1",
  };
}

/** A value, or the content of the file that it names as `file:<path>`. */
function textOf(value: string | undefined, name: string): string {
  const path = value?.startsWith("file:") === true ? value.slice("file:".length) : undefined;
  if (path === undefined) return value ?? "";
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new CliError(EXIT.usage, `${name}: cannot read ${path}`, { cause });
  }
}

const EXITS: Record<DashboardErrorCode, ExitCode> = {
  UNSAFE_HOST: EXIT.usage,
  ADDRESS_UNUSABLE: EXIT.environment,
  BAD_USERS: EXIT.usage,
  BAD_BASE_PATH: EXIT.usage,
};

/** Gives what a dashboard throws when it cannot be set up its exit code. */
export async function asCliErrors<T>(action: () => Promise<T>): Promise<T> {
  const { DashboardError } = await import("@fanfold/dashboard");
  try {
    return await action();
  } catch (error) {
    if (error instanceof DashboardError) throw new CliError(EXITS[error.code], error.message, { cause: error });
    throw error;
  }
}
