import type { JsonValue } from "../jsonl/json-value.ts";
import { JsonlError } from "../jsonl/jsonl-error.ts";
import { type JsonlRecord, readRecords } from "../jsonl/read-records.ts";
import { gatherRecords } from "./gather-records.ts";
import { type DuplicatePolicy, KeyTable } from "./key-table.ts";
import { listConflicts } from "./list-conflicts.ts";
import { MergeError } from "./merge-error.ts";
import type { MergeReport } from "./merge-report.ts";
import { RecordIndex } from "./record-index.ts";
import { keyText, recordKeyOf } from "./record-key.ts";
import type { ShardOutputs } from "./shard-outputs.ts";
import { streamRecords } from "./stream-records.ts";

/** How records are folded. */
export interface RecordsRule {
  /** Field that identifies a record; null: records stay in shard order, and the rest of the rule is void. */
  key: string | null;
  /** What becomes of records that carry the same key. */
  onDuplicate: DuplicatePolicy;
  /** Demand exactly the keys of the source. */
  complete: boolean;
  /**
   * Value of the key field of each source record, in source order; `undefined` for a record without it. Without a
   * source records stay in shard order.
   */
  source?: AsyncIterable<JsonValue | undefined>;
}

/** Folded records. */
export interface RecordsFold {
  report: MergeReport;
  /** JSONL: the bytes of each record as its shard wrote them, and a newline. Can be read once. */
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Folds JSONL outputs into one: records by the source index of their key, unknown keys last, and by shard and position
 * within that. Depends on nothing but the outputs and the source.
 *
 * Reads the outputs twice: once to check and index them (some 16 bytes a record, and the keys), once for the result. If
 * the records are in order already, the second reading is a stream too; otherwise it takes ranges.
 *
 * @throws {MergeError} when the merge is rejected, before there is any chunk: see {@link MergeErrorCode}
 */
export async function foldRecords(outputs: ShardOutputs, rule: RecordsRule): Promise<RecordsFold> {
  if (rule.complete && (rule.key === null || rule.source === undefined)) {
    throw new MergeError("NO_SOURCE", "complete needs a key, and a source to compare the keys with");
  }
  return rule.key === null ? foldInShardOrder(outputs) : foldByKey(outputs, rule.key, rule);
}

async function foldInShardOrder(outputs: ShardOutputs): Promise<RecordsFold> {
  const recordCount = await visitRecords(outputs, () => {});
  const report = { recordCount, conflictCount: 0, conflicts: [], missingCount: 0, unexpectedCount: 0 };
  return { report, chunks: streamRecords(outputs, { recordCount, kept: null }) };
}

async function foldByKey(outputs: ShardOutputs, key: string, rule: RecordsRule): Promise<RecordsFold> {
  const table = new KeyTable({ policy: rule.onDuplicate, hasSource: rule.source !== undefined });
  if (rule.source !== undefined) await addSource(table, key, rule);
  const index = new RecordIndex();
  const recordCount = await visitRecords(outputs, (shard, { start, bytes, line, value }) => {
    const text = recordKeyOf(value, key, () => `shard ${shard}, line ${line}`);
    table.addRecord(text, index.add(shard, start, bytes.length), index);
  });
  const report = table.report();
  rejectProblems(table, report, rule);
  const order = table.order();
  const chunks = isIncreasing(order)
    ? streamRecords(outputs, { recordCount, kept: order })
    : gatherRecords(outputs, index, order);
  return { report, chunks };
}

async function addSource(table: KeyTable, key: string, { source, complete }: RecordsRule): Promise<void> {
  let number = 0;
  for await (const value of source ?? []) {
    number += 1;
    const isKeyless = value === undefined || value === null;
    if (!isKeyless || complete) table.addSourceKey(keyText(value, key, () => `source record ${number}`));
  }
}

/** Shows every record of the outputs to `visit`, in shard order, and counts them. */
async function visitRecords(
  outputs: ShardOutputs,
  visit: (shard: number, record: JsonlRecord) => void,
): Promise<number> {
  let recordCount = 0;
  for (let shard = 0; shard < outputs.shardCount; shard += 1) {
    try {
      for await (const record of readRecords(outputs.stream(shard))) {
        visit(shard, record);
        recordCount += 1;
      }
    } catch (cause) {
      if (!(cause instanceof JsonlError)) throw cause;
      throw new MergeError("INVALID_RECORD", `shard ${shard}, ${cause.message}`, { cause });
    }
  }
  return recordCount;
}

function rejectProblems(table: KeyTable, report: MergeReport, { onDuplicate, complete }: RecordsRule): void {
  const hasDuplicates = onDuplicate === "error" && report.conflictCount > 0;
  const difference = complete ? table.describeDifference() : "";
  if (!hasDuplicates && difference === "") return;
  const duplicates = hasDuplicates ? [`duplicate ${listConflicts(report)}`] : [];
  const problems = [...duplicates, ...(difference === "" ? [] : [difference])];
  throw new MergeError(hasDuplicates ? "DUPLICATE_KEY" : "INCOMPLETE", problems.join("; "), { report });
}

function isIncreasing(order: Uint32Array): boolean {
  return order.every((record, place) => place === 0 || (order[place - 1] ?? 0) < record);
}
