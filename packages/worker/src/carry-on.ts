import { DEFAULT_INFRA_LIMIT } from "@fanfold/core";
import { type PhaseEnd, type PhaseEndReply, systemClock } from "@fanfold/engine";
import { jobIds } from "@fanfold/store";
import type { Job } from "bullmq";
import type { RecordedOutcome, StartedAttempt } from "./attempt-record.ts";
import { runStarted } from "./run-started.ts";
import type { ShardJobContext } from "./shard-job.ts";

/** Longest time a job goes on with further phases, in ms: what takes longer is to be seen on the queue. */
const CARRY_MS = 1_000;
/** A carried attempt that takes longer than this is named in the log of the job, in ms. */
const NAMED_AFTER_MS = 250;

type Next = NonNullable<PhaseEndReply["next"]>;
type Carrier = PhaseEnd["carrier"];

/** A job that may carry shards of the phases that it starts. */
export interface CarryingJob {
  readonly job: Job;
  readonly id: string;
  readonly runId: string;
  readonly pool: string;
  /** When the job was begun here, Unix ms. */
  readonly startedAtMs: number;
}

/** Whether a job may go on with a phase that it starts: not for long, and not in a worker that stops. */
export function carrierOf({ active, workerName }: ShardJobContext, { pool, startedAtMs }: CarryingJob): Carrier {
  if (active.isClosing || systemClock.nowMs() - startedAtMs > CARRY_MS) return undefined;
  return { worker: workerName, pool, lossLimit: DEFAULT_INFRA_LIMIT };
}

/**
 * Runs the shards that a job carries, one after another: each is the first one of a phase that the one before started.
 * One that does not succeed gets a job of its own, which goes on from what is recorded, and ends the row.
 */
export async function carryOn(context: ShardJobContext, carrier: CarryingJob, first: Next): Promise<void> {
  const { job, id: claimant, runId } = carrier;
  let next: Next | undefined = first;
  while (next !== undefined) {
    const started = startedAttempt(runId, next);
    const { ref } = started;
    const naming = setTimeout(() => void nameInLog(job, started), NAMED_AFTER_MS);
    const outcome = await runStarted(context, started, { job, shardCount: 1 }).finally(() => clearTimeout(naming));
    const { finish } = outcome;
    if (finish.outcome !== "succeeded") return putOnQueue(context, started, { ...outcome, claimant });
    const end = { runId, ref, finish, claimant, isCarried: true, carrier: carrierOf(context, carrier) };
    const reply: PhaseEndReply = await context.engine.completePhase(end);
    await context.engine.keys.wakeForPhase(runId, ref.phase, claimant);
    next = reply.next;
  }
}

/** Records the end of an attempt that was no success, and has the shard's own job go on from there. */
async function putOnQueue(
  { engine }: ShardJobContext,
  { runId, ref }: StartedAttempt,
  { finish, retryAfterMs = 0, claimant }: RecordedOutcome & { readonly claimant: string },
): Promise<void> {
  const { ledger, queues } = engine.store;
  const own = jobIds.shard(runId, ref);
  const { carrier: _carrier, ...record } = finish.record;
  const { verdict, claimed } = await ledger.finishShard(runId, ref, { ...finish, record }, own);
  // whoever has taken it over has put it on its queue
  if (verdict === "refused") return;
  await engine.release(runId, claimed, own);
  await engine.keys.wakeForPhase(runId, ref.phase, own);
  await queues.restoreShard(await engine.flowPhase(runId, ref), ref, retryAfterMs);
  await ledger.ackClaims(runId, claimant, { carried: true });
}

function startedAttempt(runId: string, { ref, record }: Next): StartedAttempt {
  if (record.attempt === undefined || record.fence === undefined) {
    throw new Error(`the ledger started ${jobIds.shard(runId, ref)} without an attempt`);
  }
  return { runId, ref, record, attempt: record.attempt, fence: record.fence };
}

/** A reader of the queue sees one job for all it carries. */
async function nameInLog(job: Job, { ref }: StartedAttempt): Promise<void> {
  await job.log(`goes on with ${ref.phase}`).catch(() => undefined);
}
