import { DEFAULT_INFRA_LIMIT } from "@fanfold/core";
import { type PhaseEnd, type PhaseEndReply, systemClock } from "@fanfold/engine";
import { type FinishReply, jobIds, type ShardFinish, type ShardRef, shardId } from "@fanfold/store";
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

/** A job that may carry shards which its own starts. */
export interface CarryingJob {
  readonly job: Job;
  readonly id: string;
  readonly runId: string;
  readonly pool: string;
  /** Shards of the phase of each that it carries. */
  readonly shardCount: number;
  /** When the job was begun here, Unix ms. */
  readonly startedAtMs: number;
}

/** Whether a job may go on with a shard that it starts: not for long, and not in a worker that stops. */
export function carrierOf({ active, workerName }: ShardJobContext, { pool, startedAtMs }: CarryingJob): Carrier {
  if (active.isClosing || systemClock.nowMs() - startedAtMs > CARRY_MS) return undefined;
  return { worker: workerName, pool, lossLimit: DEFAULT_INFRA_LIMIT };
}

/**
 * Runs the shards that a job carries, one after another: each is started by the end of the one before, the first one of a
 * phase that follows, or the next one of a phase under a cap. One that does not succeed gets a job of its own, which goes
 * on from what is recorded, and ends the row.
 */
export async function carryOn(context: ShardJobContext, carrier: CarryingJob, first: Next): Promise<void> {
  const { job, id: claimant, runId, shardCount } = carrier;
  let next: Next | undefined = first;
  while (next !== undefined) {
    const started = startedAttempt(runId, next);
    const { ref } = started;
    const naming = setTimeout(() => void nameInLog(carrier, ref), NAMED_AFTER_MS);
    const outcome = await runStarted(context, started, { job, shardCount }).finally(() => clearTimeout(naming));
    const { finish } = outcome;
    if (finish.outcome !== "succeeded") return putOnQueue(context, started, { ...outcome, claimant });
    const end = { runId, ref, finish, claimant, isCarried: true, carrier: carrierOf(context, carrier) };
    const reply: PhaseEndReply = await context.engine.endAttempt(end);
    if (reply.finished.verdict === "refused") return;
    await context.engine.keys.wakeForPhase(runId, ref.phase, claimant);
    if (mustReport(finish, reply.finished)) await report(context, carrier, ref);
    next = reply.next;
  }
}

/** Whether there is something for a scheduler to decide, about the phase or the budget of its run. */
export function mustReport({ outcome, costUsd }: ShardFinish, { progress }: Pick<FinishReply, "progress">): boolean {
  return outcome === "failed" || costUsd > 0 || progress === "drained" || progress === "tolerable";
}

/** Has a scheduler look at the phase of a shard whose end this job has recorded. */
export async function report(
  { engine }: ShardJobContext,
  { job, runId }: Pick<CarryingJob, "job" | "runId">,
  ref: ShardRef,
): Promise<void> {
  const { phase, revision } = ref;
  // the job may be one of a later making, which counts its starts anew
  const id = jobIds.report(runId, `${shardId(ref)}.${job.timestamp}`, job.attemptsStarted);
  await engine.store.queues.addSchedulerJob(id, { kind: "report", run_id: runId, phase, revision });
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
  const { verdict, claimed } = await ledger.finishShard(runId, ref, { ...finish, record }, { claimant: own });
  // whoever has taken it over has put it on its queue
  if (verdict === "refused") return;
  await engine.release(runId, claimed, own);
  await engine.keys.wakeForPhase(runId, ref.phase, own);
  await queues.restoreShard(await engine.flowPhase(runId, ref), ref, retryAfterMs);
  await engine.letGo(runId, claimant);
}

function startedAttempt(runId: string, { ref, record }: Next): StartedAttempt {
  if (record.attempt === undefined || record.fence === undefined) {
    throw new Error(`the ledger started ${jobIds.shard(runId, ref)} without an attempt`);
  }
  return { runId, ref, record, attempt: record.attempt, fence: record.fence };
}

/** A reader of the queue sees one job for all it carries. */
async function nameInLog({ job, shardCount }: CarryingJob, { phase, shard }: ShardRef): Promise<void> {
  const name = shardCount === 1 ? phase : `${phase}[${shard}]`;
  await job.log(`goes on with ${name}`).catch(() => undefined);
}
