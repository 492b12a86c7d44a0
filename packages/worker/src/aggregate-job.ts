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
  const { engine, store } = context;
  const [edition, counts, kept] = await Promise.all([
    engine.recall(data.run_id),
    store.ledger.findPhase(data.run_id, data.phase),
    store.ledger.findFold(data.run_id, data),
  ]);
  // what the phase is settled on is read while its outputs are
  engine.catchUp(data.run_id).catch(() => undefined);
  context.inputs.keepOnly(data.run_id, edition);
  if (comesTooEarly(data, counts)) return waitAgain(context, data, { job, token });
  try {
    return await foldAndRecord(context, data, { job, counts: expected(data, counts), kept });
  } catch (error) {
    if (!(error instanceof FoldGivenUp) || error.reason !== "worker_stopping") throw error;
    await job.moveToWait(token);
    throw new WaitingError();
  }
}

/** How a phase stood when its aggregate began. */
interface Standing {
  readonly job: Job;
  readonly counts: PhaseLedger;
  /** What came of an earlier try. */
  readonly kept: Fold | undefined;
}

async function foldAndRecord(context: FoldContext, data: AggregateJob, standing: Standing): Promise<AggregateResult> {
  const { engine, store } = context;
  const { job, counts, kept } = standing;
  const { fold: made, missing_shards } = await foldOnce(context, data, standing);
  const fold = "artifacts" in made ? { at_ms: systemClock.nowMs(), ...made } : made;
  const ref = { phase: data.phase, revision: data.revision };
  await store.ledger.recordFold(data.run_id, ref, fold);
  if ("artifacts" in fold) {
    // whoever kept it may have died in the middle of settling: the sweep settles, and carries out what is owed
    const isSettling =
      made === kept
        ? engine.sweep(data.run_id)
        : engine.settleFolded(data.run_id, { ref, artifacts: fold.artifacts, counts });
    // trouble here is none of the fold's: the settle job meets it again, and says so
    await isSettling.catch(() => undefined);
    return { sha256: fold.artifacts[0]?.sha256 ?? "", missing_shards };
  }
  const id = jobIds.report(
    data.run_id,
    `${phaseRevisionId(ref.phase, ref.revision)}.${job.timestamp}`,
    job.attemptsStarted,
  );
  await store.queues.addSchedulerJob(id, { kind: "report", run_id: data.run_id, ...ref });
  throw new UnrecoverableError(fold.failure.why);
}

interface Folded {
  readonly fold: Fold;
  readonly missing_shards: number;
}

/** One try. Trouble that is not about the outputs is thrown, and counts as a failed fold after the job's last try. */
async function foldOnce(context: FoldContext, data: AggregateJob, { job, counts, kept }: Standing): Promise<Folded> {
  try {
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
function comesTooEarly({ revision }: AggregateJob, counts: PhaseLedger | undefined): boolean {
  if (counts === undefined || counts.revision !== revision) return false;
  const progress = phaseProgress(counts, false);
  return progress !== "complete" && progress !== "tolerable";
}

/** How the phase stands. @throws {UnrecoverableError} when the ledger is about another revision, or none */
function expected({ run_id, phase, revision }: AggregateJob, counts: PhaseLedger | undefined): PhaseLedger {
  if (counts?.revision === revision) return counts;
  throw new UnrecoverableError(`run ${run_id} does not expect revision ${revision} of ${phase}`);
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
