import { setTimeout as sleep } from "node:timers/promises";
import type { Effect } from "@fanfold/schemas";
import type { PhaseRef, RemovedJobs } from "@fanfold/store";
import { EngineError } from "./engine-error.ts";
import type { EngineWorkings } from "./engine-workings.ts";

/** How often, and how far apart in ms, a job that somebody holds is looked at again: a lock lasts 6 s. */
const HELD_TRIES = 80;
const HELD_PAUSE_MS = 100;
/** Shards looked at in one round trip. */
const PAGE = 500;

/**
 * Takes away the jobs and marks of a making that did not become a revision and is begun anew under the same number.
 * What its attempts left behind, logs and history, stays. Once the phase is open again, this changes nothing.
 *
 * @throws {EngineError} PHASE_BUSY when a job of it does not become free
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
  const { pool } = graph.phase(phase);
  // parents before children, so that no removal lets a parent run
  await untilFree(() => jobRemovals.removeSettleJob(runId, ref));
  await untilFree(() => jobRemovals.removePhaseJobs(runId, ref));
  for (let from = 0; from < shards; from += PAGE) {
    const records = await ledger.listShards(runId, ref, from, Math.min(shards, from + PAGE));
    const page = records.map((record, i) => ({ ...ref, shard: from + i, block: record?.block }));
    await untilFree(() => jobRemovals.removeShardJobs(runId, pool, page));
  }
  await ledger.discardShards(runId, ref, shards);
}

/** A job that is held is let go of at once: the ledger does not know its shard any more. */
async function untilFree(remove: () => Promise<RemovedJobs>): Promise<void> {
  for (let i = 0; i < HELD_TRIES; i += 1) {
    const { held } = await remove();
    if (held.length === 0) return;
    await sleep(HELD_PAUSE_MS);
  }
  throw new EngineError(
    "PHASE_BUSY",
    "a job of what is to run again is still held by a worker; ask again a little later",
  );
}
