import { eventPlace, isBlock, type Problem } from "@fanfold/core";

/** Where a problem happened: `compile[3], attempt 2`. */
export function problemPlace(problem: Problem): string {
  const place = eventPlace(problem);
  return problem.attempt === null ? place : `${place}, attempt ${problem.attempt}`;
}

/** What a failure is to its phase or shard: `blocked` or `failed`. */
export function failureLabel(failure: Problem): string {
  return isBlock(failure) ? "blocked" : "failed";
}

/** How the process ended, where it did: `exit code 2`, `killed by SIGKILL`. */
export function problemExit({ exit_code: exitCode, signal }: Problem): string | undefined {
  if (signal !== null) return `killed by ${signal}`;
  return exitCode === null ? undefined : `exit code ${exitCode}`;
}
