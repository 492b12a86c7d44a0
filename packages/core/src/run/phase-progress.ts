import type { PhaseLedger, PhaseProgress } from "@fanfold/schemas";

/**
 * What a phase's counts mean: `complete` when every shard succeeded, `tolerable` when all are done with and few
 * enough failed, `drained` when nothing runs and nothing
 * more will by itself. The same rule as `phase_state` in the store's `lua/include/ledger.lua`.
 */
export function phaseProgress(counts: PhaseLedger, isStopped: boolean): PhaseProgress {
  if (counts.succeeded >= counts.total) return "complete";
  if (counts.in_flight > 0) return "busy";
  const { succeeded, failed, total } = counts;
  if (succeeded + failed >= total && failed <= counts.tolerated) return "tolerable";
  if (isStopped || counts.recalled === 1) return "drained";
  const isReleased = counts.next >= total || counts.tripped === 1;
  return isReleased && counts.held === 0 ? "drained" : "busy";
}
