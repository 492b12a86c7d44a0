import type { Problem, RunView } from "@fanfold/core";

/** Failures that are told one by one; the rest is counted. */
export const MAX_FAILURES_TOLD = 3;

/** What to type after a failure: the logs of what failed, and the retry. Empty for any other run. */
export function nextCommands(view: RunView, failures: readonly Problem[]): string[] {
  if (view.status !== "failed") return [];
  const logs = failures.slice(0, MAX_FAILURES_TOLD).flatMap(({ phase, shard }) => {
    if (phase === null) return [];
    return [`fanfold logs ${view.run_id} --phase ${phase}${shard === null ? "" : ` --shard ${shard}`}`];
  });
  return [...logs, `fanfold retry ${view.run_id}`];
}
