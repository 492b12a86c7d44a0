import { LineSplitter } from "../jsonl/line-splitter.ts";
import { LineBatch } from "./line-batch.ts";
import { MergeError } from "./merge-error.ts";
import type { ShardOutputs } from "./shard-outputs.ts";

/** Which records pass {@link streamRecords}. */
export interface RecordSelection {
  /** Records in all outputs together, as counted before. */
  recordCount: number;
  /** Numbers of the records to keep, increasing; null for all of them. */
  kept: Uint32Array | null;
}

/**
 * Lines of the shard outputs in shard order, each with one newline behind it, in chunks. Holds a chunk and a line.
 *
 * @throws {MergeError} `OUTPUT_CHANGED` when there are more or fewer records than counted
 */
export async function* streamRecords(
  outputs: ShardOutputs,
  { recordCount, kept }: RecordSelection,
): AsyncGenerator<Uint8Array, void, undefined> {
  const batch = new LineBatch();
  let record = 0;
  let keptCount = 0;
  for await (const line of outputLines(outputs)) {
    if (kept === null || kept[keptCount] === record) {
      keptCount += 1;
      yield* batch.add(line);
    }
    record += 1;
  }
  if (record !== recordCount) {
    throw new MergeError(
      "OUTPUT_CHANGED",
      `the outputs had ${recordCount} records, then ${record}, while being merged`,
    );
  }
  yield* batch.flush();
}

async function* outputLines(outputs: ShardOutputs): AsyncGenerator<Uint8Array, void, undefined> {
  for (const shard of outputs.shards) {
    const splitter = new LineSplitter();
    for await (const chunk of outputs.stream(shard)) {
      for (const { bytes } of splitter.push(chunk)) yield bytes;
    }
    for (const { bytes } of splitter.end()) yield bytes;
  }
}
