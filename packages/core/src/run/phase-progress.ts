import type { PhaseLedger, PhaseProgress } from "@fanfold/schemas";

/**
 * What a phase's counts mean: `complete` when every shard succeeded, `drained` when nothing runs and nothing
 * more will by itself. The same rule as `phase_state` in the store's `lua/include/ledger.lua`.
 */
export function phaseProgress(counts: PhaseLedger, isStopped: boolean): PhaseProgress {
  if (counts.succeeded >= counts.total) return "complete";
  if (counts.in_flight > 0) return "busy";
  if (isStopped) return "drained";
  return counts.next >= counts.total && counts.held === 0 ? "drained" : "busy";
}
