import {
  findField,
  foldArray,
  foldConcat,
  foldRecords,
  type JsonValue,
  listConflicts,
  MergeError,
  readRecords,
} from "@fanfold/core";
import { artifactOf, keepContent, type RunEngine } from "@fanfold/engine";
import {
  type AggregateJob,
  AggregateJobSchema,
  type Artifact,
  type CompiledMerge,
  type CompiledPhase,
  type PhaseInputs,
} from "@fanfold/schemas";
import { jobIds, type PhaseRef, phaseRevisionId, type Store, streamContent } from "@fanfold/store";
import { type Job, UnrecoverableError } from "bullmq";
import { LedgerShardOutputs } from "./ledger-shard-outputs.ts";

/**
 * Folds the shard outputs of a phase in shard order and keeps the result. The result depends on the outputs
 * alone. A rejected merge persists nothing and fails for good; anything else is tried again.
 */
export async function processAggregate(engine: RunEngine, job: Job): Promise<{ sha256: string | null }> {
  const data = AggregateJobSchema.parse(job.data);
  const { run_id } = data;
  const ref = { phase: data.phase, revision: data.revision };
  await reopenAfterRetry(engine, run_id, ref);
  try {
    const artifact = await foldPhase(engine, data, job);
    await engine.store.ledger.recordFold(run_id, ref, { artifacts: [artifact] });
    return { sha256: artifact.sha256 };
  } catch (error) {
    const isRejected = error instanceof MergeError;
    if (!isRejected && job.attemptsMade + 1 < (job.opts.attempts ?? 1)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const failure = { error_code: isRejected ? error.code : "MERGE_FAILED", why };
    await engine.store.ledger.recordFold(run_id, ref, { failure });
    const id = jobIds.report(run_id, phaseRevisionId(ref.phase, ref.revision), job.attemptsStarted);
    await engine.store.queues.addSchedulerJob(id, { kind: "report", run_id, ...ref });
    throw new UnrecoverableError(why);
  }
}

/** Somebody retried the aggregate by hand: the run carries on. */
async function reopenAfterRetry(engine: RunEngine, runId: string, ref: PhaseRef): Promise<void> {
  const fold = await engine.store.ledger.findFold(runId, ref);
  if (fold === undefined || !("failure" in fold)) return;
  await engine.store.ledger.clearFoldFailure(runId, ref);
  await engine.reopen(runId, ref.phase, "queue");
}

async function foldPhase(engine: RunEngine, data: AggregateJob, job: Job): Promise<Artifact> {
  const { run_id, phase, revision, shard_count } = data;
  const { graph } = await engine.plan(run_id);
  const definition = graph.phase(phase);
  const ref = { phase, revision };
  const outputs = new LedgerShardOutputs(engine.store, run_id, ref, shard_count);
  const inputs = await engine.store.ledger.getInputs(run_id, ref);
  const chunks = await foldBy(definition.merge, outputs, sourceKeys(engine.store, definition.merge, inputs), job);
  return artifactOf(outputName(definition), await keepContent(engine.store.artifacts, chunks));
}

async function foldBy(
  merge: CompiledMerge,
  outputs: LedgerShardOutputs,
  source: AsyncIterable<JsonValue | undefined> | undefined,
  job: Job,
): Promise<AsyncIterable<Uint8Array>> {
  switch (merge.strategy) {
    case "none":
      throw new UnrecoverableError("a phase without a merge has no aggregate");
    case "concat":
      return foldConcat(outputs);
    case "array":
      return foldArray(outputs);
    case "records": {
      const rule = { key: merge.key, onDuplicate: merge.on_duplicate, complete: merge.complete };
      const folded = await foldRecords(outputs, source === undefined ? rule : { ...rule, source });
      if (folded.report.conflictCount > 0) await job.log(`duplicate keys: ${listConflicts(folded.report)}`);
      return folded.chunks;
    }
  }
}

/** Keys of the source records in source order, where the merge wants them. */
function sourceKeys(
  store: Store,
  merge: CompiledMerge,
  inputs: PhaseInputs,
): AsyncIterable<JsonValue | undefined> | undefined {
  if (merge.strategy !== "records" || merge.key === null || inputs.source === null) return undefined;
  return readKeys(streamContent(store.artifacts, inputs.source), merge.key);
}

async function* readKeys(chunks: AsyncIterable<Uint8Array>, key: string): AsyncGenerator<JsonValue | undefined> {
  for await (const { value } of readRecords(chunks, { anyValue: true })) yield findField(value, key);
}

function outputName(phase: CompiledPhase): string {
  return phase.provides[0] ?? phase.id;
}
