import {
  foldArray,
  foldConcat,
  foldObject,
  foldRecords,
  type JsonValue,
  listConflicts,
  listNames,
  MergeError,
  type MergeReport,
  readRecords,
} from "@fanfold/core";
import { artifactOf, keepContent } from "@fanfold/engine";
import type { CompiledMerge, Fold } from "@fanfold/schemas";
import { type Store, streamContent } from "@fanfold/store";
import { UnrecoverableError } from "bullmq";
import { foldByWork } from "./fold-by-work.ts";
import type { FoldContext, FoldTask } from "./fold-task.ts";
import { unlessGivenUp } from "./given-up-fold.ts";
import { LedgerShardOutputs } from "./ledger-shard-outputs.ts";

/**
 * Folds the shard outputs of a phase in shard order and keeps the result, which depends on the outputs alone. What
 * people should know of it is in the log of the job.
 *
 * @returns the artifacts, or why the merge is rejected; then nothing is kept
 * @throws {FoldGivenUp} when its signal ended it, and not because the run was stopped
 * @throws {Error} for trouble that is not about the outputs, and may pass
 */
export async function foldPhase(context: FoldContext, task: FoldTask): Promise<Fold> {
  const { missing, shardCount, job, phase } = task;
  if (missing.size > 0) {
    const names = listNames(Array.from(missing, String), missing.size);
    await job.log(`${missing.size} of ${shardCount} shards failed and are left out: ${names}`);
  }
  const outputs = new LedgerShardOutputs(context.store, task);
  const { merge } = phase;
  if (merge.strategy === "command" || merge.strategy === "handler") return foldByWork(context, task, merge, outputs);
  try {
    const folded = foldChunks(context.store, task, merge, outputs);
    const kept = folded.then((chunks) => keepContent(context.store.artifacts, chunks));
    const content = await unlessGivenUp(kept, { signal: task.signal });
    return { artifacts: [artifactOf(phase.provides[0] ?? phase.id, content)] };
  } catch (error) {
    if (!(error instanceof MergeError)) throw error;
    return { failure: { error_code: error.code, why: error.message } };
  }
}

type BuiltInMerge = Exclude<CompiledMerge, { strategy: "command" | "handler" }>;

async function foldChunks(
  store: Store,
  task: FoldTask,
  merge: BuiltInMerge,
  outputs: LedgerShardOutputs,
): Promise<AsyncIterable<Uint8Array>> {
  switch (merge.strategy) {
    case "none":
      throw new UnrecoverableError("a phase without a merge has no aggregate");
    case "concat":
      return foldConcat(outputs);
    case "array":
      return foldArray(outputs);
    case "object": {
      const { report, chunks } = await foldObject(outputs, { onDuplicate: merge.on_duplicate });
      await logReport(task, report);
      return chunks;
    }
    case "records": {
      const source = await findSource(store, task, merge.key);
      const { report, chunks } = await foldRecords(outputs, {
        key: merge.key,
        onDuplicate: merge.on_duplicate,
        complete: merge.complete,
        toleratesMissing: task.missing.size > 0,
        dimensions: task.phase.matrix,
        ...(source === undefined ? {} : { source }),
      });
      await logReport(task, report);
      return chunks;
    }
  }
}

async function logReport({ job }: FoldTask, report: MergeReport): Promise<void> {
  if (report.conflictCount > 0) await job.log(`duplicate keys: ${listConflicts(report)}`);
  if (report.difference !== "") await job.log(`warning: not complete, for lack of shards: ${report.difference}`);
}

/** Records of the source, where the merge follows their order. */
async function findSource(
  store: Store,
  { runId, ref }: FoldTask,
  key: readonly string[],
): Promise<AsyncIterable<JsonValue> | undefined> {
  if (key.length === 0) return undefined;
  const { source } = await store.ledger.getInputs(runId, ref);
  return source === null ? undefined : readValues(streamContent(store.artifacts, source));
}

async function* readValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonValue> {
  for await (const { value } of readRecords(chunks, { anyValue: true })) yield value;
}
