import { isRetryable, type Problem, type RunView, shellWord } from "@fanfold/core";

/** Failures that are told one by one; the rest is counted. */
export const MAX_FAILURES_TOLD = 3;

/**
 * What to type after a failure: the logs of what failed, and the retry. Empty for any other run, and for one in which
 * a retry changes nothing: its phases were only blocked, or their conditions made no sense.
 */
export function nextCommands(view: RunView, failures: readonly Problem[]): string[] {
  if (view.status !== "failed") return [];
  const tried = failures.filter(isRetryable);
  if (tried.length === 0 && failures.length > 0) return [];
  const run = shellWord(view.run_id);
  const logs = tried.slice(0, MAX_FAILURES_TOLD).flatMap(({ phase, shard }) => {
    if (phase === null) return [];
    return [`fanfold logs ${run} --phase ${shellWord(phase)}${shard === null ? "" : ` --shard ${shard}`}`];
  });
  return [...logs, `fanfold retry ${run}`];
}
