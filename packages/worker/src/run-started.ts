import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { systemClock } from "@fanfold/engine";
import { isDirect, jobIds } from "@fanfold/store";
import type { Job } from "bullmq";
import { type RecordedOutcome, recordGivenBack, recordOutcome, type StartedAttempt } from "./attempt-record.ts";
import { shareInCarry } from "./block-inputs.ts";
import { type AttemptTask, executeAttempt } from "./execute-attempt.ts";
import { OutputShipper } from "./output-shipper.ts";
import type { ShardJobContext } from "./shard-job.ts";

/** The job in which an attempt is run: its shard's own, or one that carries it. */
export interface JobOfAttempt {
  readonly job: Job;
  /** Shards of the phase. */
  readonly shardCount: number;
}

/** An attempt of which nobody can say how it ended: it is lost as if its worker had died, and nothing is recorded. */
export class AttemptLost extends Error {
  override readonly name = "AttemptLost";
}

/**
 * Runs a started attempt to its end, and leaves nothing of it on this machine.
 *
 * @returns how its end is to be recorded
 * @throws {AttemptLost} when nobody can say how it ended
 * @throws {Error} when the lock of the job was lost before there was a success: somebody else takes the shard over
 */
export async function runStarted(
  context: ShardJobContext,
  started: StartedAttempt,
  { job, shardCount }: JobOfAttempt,
): Promise<RecordedOutcome> {
  const { engine, active, inputs } = context;
  const { runId, ref, attempt } = started;
  const id = jobIds.shard(runId, ref);
  const signal = active.begin(id, runId, job.id);
  const scratchDir = inputs.scratchDir(runId, ref, attempt);
  try {
    const plan = await engine.plan(runId);
    const phase = plan.graph.phase(ref.phase);
    // what is read now need not be read when the attempt ends
    const isCarried = job.id !== id;
    if (isDirect(phase) && !isCarried) engine.catchUp(runId).catch(() => undefined);
    const task = {
      runId,
      ref,
      shardCount,
      attempt,
      history: started.record.history ?? [],
      ...repeatedBy(started),
      children: started.record.spawned ?? [],
      plan,
      phase,
      scratchDir,
      ...(isCarried ? { shared: await shareInCarry(context, { runId, plan: plan.plan, phase }, ref) } : {}),
    };
    const shipper = new OutputShipper(engine.store.logs, { runId, ref, attempt, job });
    const ended = await executeAttempt(context, task, shipper, { signal });
    // what was done before the lock was lost is handed in all the same: the ledger knows whether somebody else has begun
    if (signal.reason === "lock_lost" && ended.status !== "succeeded")
      throw new Error("attempt given up: its lock is lost");
    if (ended.status === "failed" && ended.failure.error_code === "SPAWNER_LOST")
      throw new AttemptLost(ended.failure.why);
    const nowMs = systemClock.nowMs();
    if (signal.reason === "worker_stopping" && ended.status === "cancelled") {
      return { finish: recordGivenBack(started, ended, nowMs), retryAfterMs: undefined };
    }
    return recordOutcome(started, ended, phase.retry, nowMs);
  } finally {
    active.end(id);
    if (existsSync(scratchDir)) await rm(scratchDir, { recursive: true, force: true });
  }
}

function repeatedBy({ record }: StartedAttempt): Pick<AttemptTask, "repeated"> {
  const { iteration, previous } = record;
  return iteration === undefined || previous === undefined ? {} : { repeated: { iterations: iteration, previous } };
}
