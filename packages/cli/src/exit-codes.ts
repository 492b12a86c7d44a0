import type { EngineErrorCode } from "@fanfold/engine";
import type { StoreErrorCode } from "@fanfold/store";

/** Exit codes of the `fanfold` command; README.md shows the same table. */
export const EXIT = {
  ok: 0,
  runFailed: 1,
  usage: 2,
  environment: 3,
  notFound: 4,
  refused: 5,
  cancelled: 130,
} as const;

/** An exit code of the `fanfold` command. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that the user caused or can mend; the message is all they see. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

const STORE_EXITS: Record<StoreErrorCode, ExitCode> = {
  RUN_NOT_FOUND: EXIT.notFound,
  RUN_REMOVING: EXIT.refused,
  PLAN_ALTERED: EXIT.refused,
  ARTIFACT_NOT_FOUND: EXIT.notFound,
  ARTIFACT_CORRUPT: EXIT.environment,
  ARTIFACTS_REFUSED: EXIT.environment,
  ARTIFACTS_UNREACHABLE: EXIT.environment,
  REDIS_UNREACHABLE: EXIT.environment,
  REDIS_REFUSED: EXIT.environment,
  REDIS_TOO_OLD: EXIT.environment,
  WEAK_SIGNING_KEY: EXIT.usage,
  REDIS_UNSUITABLE: EXIT.environment,
  JOB_REFUSED: EXIT.environment,
  SCRIPT_FAILED: EXIT.environment,
};

const ENGINE_EXITS: Record<EngineErrorCode, ExitCode> = {
  INVALID_RUN_ID: EXIT.usage,
  INVALID_CURSOR: EXIT.usage,
  RUN_CANCELLED: EXIT.refused,
  RUN_OVER: EXIT.refused,
  PHASE_OVER: EXIT.refused,
  NOT_AN_APPROVAL: EXIT.usage,
  NOT_ASKED: EXIT.refused,
  COMMENT_TOO_LONG: EXIT.usage,
  NOTHING_TO_RETRY: EXIT.refused,
  UNKNOWN_PHASE: EXIT.notFound,
  UNKNOWN_REVISION: EXIT.notFound,
  UNKNOWN_ARTIFACT: EXIT.notFound,
  RUN_LIVE: EXIT.refused,
  RUN_BUSY: EXIT.refused,
  UNKNOWN_TEMPLATE: EXIT.usage,
  INVALID_TEMPLATE: EXIT.usage,
  BUILT_IN_TEMPLATE: EXIT.refused,
  TEMPLATE_EXISTS: EXIT.refused,
  TEMPLATE_NOT_TRUSTED: EXIT.environment,
  RERUN_REFUSED: EXIT.refused,
  PHASE_BUSY: EXIT.refused,
};

/** By name, not by class: the classes would load Redis and BullMQ into every command, `--help` included. */
const EXITS_BY_CLASS: ReadonlyMap<string, ReadonlyMap<string, ExitCode>> = new Map([
  ["StoreError", new Map(Object.entries(STORE_EXITS))],
  ["EngineError", new Map(Object.entries(ENGINE_EXITS))],
]);

/** Exit code of an expected failure, or undefined for one that nobody foresaw. */
export function findExitCode(error: unknown): ExitCode | undefined {
  if (error instanceof CliError) return error.exitCode;
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  if (error.name === "EmbeddedRedisError") return EXIT.environment;
  const exits = EXITS_BY_CLASS.get(error.name);
  return exits?.get(error.code);
}

/** Exit code for the way a run ended. */
export function exitCodeOfRun(status: string): ExitCode {
  if (status === "succeeded") return EXIT.ok;
  return status === "cancelled" ? EXIT.cancelled : EXIT.runFailed;
}
