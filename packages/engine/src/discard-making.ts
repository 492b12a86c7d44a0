import type { Effect } from "@fanfold/schemas";
import type { PhaseRef } from "@fanfold/store";
import type { EngineWorkings } from "./engine-workings.ts";

/**
 * Takes away the jobs and marks of a making that did not become a revision and is begun anew under the same number.
 * What its attempts left behind, logs and history, stays. Once the phase is open again, this changes nothing.
 */
export async function discardMaking(
  workings: EngineWorkings,
  runId: string,
  { phase, revision, shards }: Effect & { kind: "discard_making" },
): Promise<void> {
  const { ledger, jobRemovals } = workings.store;
  const ref: PhaseRef = { phase, revision };
  const counts = await ledger.findPhase(runId, phase);
  if (counts?.revision === revision) return;
  const { graph } = await workings.states.plan(runId);
  // parents before children, so that no removal lets a parent run
  await jobRemovals.removeSettleJob(runId, ref);
  await jobRemovals.removePhaseJobs(runId, ref);
  const { pool } = graph.phase(phase);
  const refs = Array.from({ length: shards }, (_, shard) => ({ ...ref, shard }));
  await jobRemovals.removeShardJobs(runId, pool, refs);
  await ledger.forgetRecall(runId, ref);
  await ledger.forgetProgress(runId, ref, shards);
}
