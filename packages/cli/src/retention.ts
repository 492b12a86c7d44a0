import { hasLimit, type RetentionLimits } from "@fanfold/core";
import type { RetentionSettings } from "@fanfold/scheduler";
import { CliError, EXIT } from "./exit-codes.ts";
import { removeRunDir } from "./run-outputs.ts";

/**
 * The limits of flags (first) and environment (second).
 *
 * @throws {CliError} when a variable is not a number from 0
 */
export function readRetention(flags: RetentionLimits, env: NodeJS.ProcessEnv): RetentionLimits {
  const keepRuns = flags.keepRuns ?? readNumber("FANFOLD_KEEP_RUNS", env.FANFOLD_KEEP_RUNS, Number.isInteger);
  const keepDays = flags.keepDays ?? readNumber("FANFOLD_KEEP_DAYS", env.FANFOLD_KEEP_DAYS, Number.isFinite);
  return { ...(keepRuns === undefined ? {} : { keepRuns }), ...(keepDays === undefined ? {} : { keepDays }) };
}

/** What a scheduler keeps, or undefined when it keeps everything. @param stateDir `.fanfold` of its workspace */
export function retentionSettings(flags: RetentionLimits, stateDir: string): RetentionSettings | undefined {
  const limits = readRetention(flags, process.env);
  return hasLimit(limits) ? { ...limits, onRemoved: (runId) => removeRunDir(stateDir, runId) } : undefined;
}

function readNumber(name: string, text: string | undefined, isValid: (value: number) => boolean): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const value = Number(text);
  if (isValid(value) && value >= 0) return value;
  throw new CliError(EXIT.usage, `${name} is ${JSON.stringify(text)}; write a number from 0`);
}
