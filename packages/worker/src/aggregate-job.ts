import { phaseProgress } from "@fanfold/core";
import { systemClock } from "@fanfold/engine";
import { type AggregateJob, AggregateJobSchema, type Fold, type PhaseLedger } from "@fanfold/schemas";
import { jobIds, phaseRevisionId } from "@fanfold/store";
import { DelayedError, type Job, UnrecoverableError, WaitingChildrenError, WaitingError } from "bullmq";
import { foldPhase } from "./fold-phase.ts";
import type { FoldContext } from "./fold-task.ts";
import { FoldGivenUp } from "./given-up-fold.ts";
import { listFailedShards } from "./ledger-shard-outputs.ts";

/** Wait before an aggregate that came too early is looked at again, when nothing is left to wait for, in ms. */
const LOOK_AGAIN_MS = 1_000;

/** What an aggregate's job returns, for the queue dashboard. */
export interface AggregateResult {
  readonly sha256: string;
  /** Failed shards the phase tolerates, whose outputs were left out. */
  readonly missing_shards: number;
}

/**
 * Folds the shard outputs of a phase in shard order and keeps the result. The result depends on the outputs
 * alone. A rejected merge persists nothing and fails for good; anything else is tried again. A worker that stops
 * puts the job back onto its queue, which counts as no try.
 */
export async function processAggregate(context: FoldContext, job: Job, token: string): Promise<AggregateResult> {
  const data = AggregateJobSchema.parse(job.data);
  context.inputs.keepOnly(data.run_id, await context.engine.recall(data.run_id));
  if (await comesTooEarly(context, data)) return waitAgain(context, data, { job, token });
  try {
    return await foldAndRecord(context, data, job);
  } catch (error) {
    if (!(error instanceof FoldGivenUp) || error.reason !== "worker_stopping") throw error;
    await job.moveToWait(token);
    throw new WaitingError();
  }
}

async function foldAndRecord(context: FoldContext, data: AggregateJob, job: Job): Promise<AggregateResult> {
  const { fold: made, missing_shards } = await foldOnce(context, data, job);
  const fold = "artifacts" in made ? { at_ms: systemClock.nowMs(), ...made } : made;
  const ref = { phase: data.phase, revision: data.revision };
  await context.store.ledger.recordFold(data.run_id, ref, fold);
  if ("artifacts" in fold) return { sha256: fold.artifacts[0]?.sha256 ?? "", missing_shards };
  const id = jobIds.report(
    data.run_id,
    `${phaseRevisionId(ref.phase, ref.revision)}.${job.timestamp}`,
    job.attemptsStarted,
  );
  await context.store.queues.addSchedulerJob(id, { kind: "report", run_id: data.run_id, ...ref });
  throw new UnrecoverableError(fold.failure.why);
}

interface Folded {
  readonly fold: Fold;
  readonly missing_shards: number;
}

/** One try. Trouble that is not about the outputs is thrown, and counts as a failed fold after the job's last try. */
async function foldOnce(context: FoldContext, data: AggregateJob, job: Job): Promise<Folded> {
  try {
    const counts = await requireShards(context, data);
    const kept = await context.store.ledger.findFold(data.run_id, data);
    if (kept !== undefined && "artifacts" in kept) return { fold: kept, missing_shards: counts.failed };
    if (kept !== undefined) await reopenAfterRetry(context, data);
    return await foldShards(context, data, { counts, job });
  } catch (error) {
    if (error instanceof UnrecoverableError || error instanceof FoldGivenUp) throw error;
    if (job.attemptsMade + 1 < (job.opts.attempts ?? 1)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return { fold: { failure: { error_code: "MERGE_FAILED", why } }, missing_shards: 0 };
  }
}

/** The queue releases an aggregate too early when somebody removes jobs by hand; the ledger knows better. */
async function comesTooEarly({ store }: FoldContext, { run_id, phase, revision }: AggregateJob): Promise<boolean> {
  const counts = await store.ledger.findPhase(run_id, phase);
  if (counts === undefined || counts.revision !== revision) return false;
  const progress = phaseProgress(counts, false);
  return progress !== "complete" && progress !== "tolerable";
}

/** The shards are put back on their queues, and the aggregate waits for them again. */
async function waitAgain(
  { engine }: FoldContext,
  { run_id, phase, revision }: AggregateJob,
  { job, token }: { job: Job; token: string },
): Promise<never> {
  await engine.restoreFlow(run_id, { phase, revision }, "jobs its aggregate waited for were removed");
  if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
  await job.moveToDelayed(systemClock.nowMs() + LOOK_AGAIN_MS, token);
  throw new DelayedError();
}

/** How the phase stands, when all its shards are in. */
async function requireShards({ store }: FoldContext, { run_id, phase, revision }: AggregateJob): Promise<PhaseLedger> {
  const counts = await store.ledger.findPhase(run_id, phase);
  if (counts === undefined || counts.revision !== revision) {
    throw new UnrecoverableError(`run ${run_id} does not expect revision ${revision} of ${phase}`);
  }
  const progress = phaseProgress(counts, false);
  if (progress === "complete" || progress === "tolerable") return counts;
  const done = counts.succeeded + counts.failed;
  const failed = counts.failed > 0 ? `, ${counts.failed} of them failed` : "";
  throw new Error(`aggregate of ${phase} was released early: ${done} of ${counts.total} shards are in${failed}`);
}

/** Somebody retried the aggregate by hand: the run carries on. */
async function reopenAfterRetry({ engine, store }: FoldContext, data: AggregateJob): Promise<void> {
  const { stop } = await store.runs.get(data.run_id);
  if (stop === "cancel") throw new UnrecoverableError(`run ${data.run_id} was cancelled; submit its plan again`);
  await store.ledger.clearFoldFailure(data.run_id, data);
  await engine.reopen(data.run_id, data.phase, "queue");
}

async function foldShards(
  context: FoldContext,
  { run_id: runId, phase, revision, shard_count: shardCount }: AggregateJob,
  { counts, job }: { counts: PhaseLedger; job: Job },
): Promise<Folded> {
  const shards = { runId, ref: { phase, revision }, shardCount };
  const missing = new Set(counts.failed === 0 ? [] : await listFailedShards(context.store, shards));
  if (missing.size !== counts.failed) throw new Error(`shards of ${phase} were retried while it was to be folded`);
  const plan = await context.engine.plan(runId);
  const jobId = jobIds.aggregate(runId, phase, revision);
  const signal = context.active.begin(jobId, runId);
  try {
    const fold = await foldPhase(context, { ...shards, missing, plan, phase: plan.graph.phase(phase), job, signal });
    return { fold, missing_shards: missing.size };
  } finally {
    context.active.end(jobId);
  }
}
