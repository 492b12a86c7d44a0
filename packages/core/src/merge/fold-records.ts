import { type JsonValue, parseJson } from "../jsonl/json-value.ts";
import { JsonlError } from "../jsonl/jsonl-error.ts";
import { type JsonlRecord, readRecords } from "../jsonl/read-records.ts";
import { showValue } from "../jsonl/show-value.ts";
import type { FoldResult } from "./fold-result.ts";
import { gatherRecords } from "./gather-records.ts";
import { type DuplicatePolicy, KeyTable } from "./key-table.ts";
import { listConflicts } from "./list-conflicts.ts";
import { MergeError } from "./merge-error.ts";
import type { MergeReport } from "./merge-report.ts";
import { Offenders } from "./offenders.ts";
import { RecordCheck, recordKeyOf } from "./record-check.ts";
import { RecordIndex } from "./record-index.ts";
import type { ShardOutputs } from "./shard-outputs.ts";
import { streamRecords } from "./stream-records.ts";

/** How records are folded. */
export interface RecordsRule {
  /** Fields that together identify a record; empty: records stay in shard order, and only `dimensions` is heeded. */
  key: readonly string[];
  /** What becomes of records that carry the same key. */
  onDuplicate: DuplicatePolicy;
  /** Demand exactly the keys of the source. */
  complete: boolean;
  /** Shards were left out: a complete merge reports the keys it misses, and goes on. */
  toleratesMissing?: boolean;
  /** Coordinates of the phase instance; a record with another value in a field of such a name is an error. */
  dimensions?: Readonly<Record<string, string>>;
  /** Records of the source, in source order. Without a source records stay in shard order. */
  source?: AsyncIterable<JsonValue>;
}

/**
 * Folds JSONL outputs into one: records by the source index of their key, unknown keys last, and by shard and position
 * within that; the bytes of each as its shard wrote them, and a newline. Depends on nothing but the outputs and the
 * source.
 *
 * Reads the outputs twice: once to check and index them (some 16 bytes a record, and the keys), once for the result. If
 * the records are in order already, the second reading is a stream too; otherwise it takes ranges.
 *
 * @throws {MergeError} when the merge is rejected, before there is any chunk: see {@link MergeErrorCode}
 */
export async function foldRecords(outputs: ShardOutputs, rule: RecordsRule): Promise<FoldResult> {
  if (rule.complete && (rule.key.length === 0 || rule.source === undefined)) {
    throw new MergeError("NO_SOURCE", "complete needs a key, and a source to compare the keys with");
  }
  return rule.key.length === 0 ? foldInShardOrder(outputs, rule) : foldByKey(outputs, rule);
}

async function foldInShardOrder(outputs: ShardOutputs, rule: RecordsRule): Promise<FoldResult> {
  const recordCount = await visitRecords(outputs, rule, () => {});
  const counts = { conflictCount: 0, conflicts: [], missingCount: 0, unexpectedCount: 0 };
  const report = { recordCount, ...counts, difference: "" };
  return { report, chunks: streamRecords(outputs, { recordCount, kept: null }) };
}

async function foldByKey(outputs: ShardOutputs, rule: RecordsRule): Promise<FoldResult> {
  const { key, source, onDuplicate } = rule;
  const showKey = (text: string): string => describeKey(text, key);
  const table = new KeyTable({ policy: onDuplicate, hasSource: source !== undefined, showKey });
  if (source !== undefined) await addSource(table, source, rule);
  const index = new RecordIndex();
  const recordCount = await visitRecords(outputs, rule, (text, shard, { start, bytes }) => {
    table.addRecord(text, index.add(shard, start, bytes.length), index);
  });
  const report = table.report(rule);
  rejectProblems(report, rule);
  const order = table.order();
  const chunks = isIncreasing(order)
    ? streamRecords(outputs, { recordCount, kept: order })
    : gatherRecords(outputs, index, order);
  return { report, chunks };
}

/** A key of several fields names them, so that it can be found: `(term=x, translation=y)`. */
function describeKey(text: string, fields: readonly string[]): string {
  const value = parseJson(text);
  if (fields.length < 2 || !Array.isArray(value)) return showValue(value);
  return `(${fields.map((field, at) => `${field}=${showValue(value[at] ?? null)}`).join(", ")})`;
}

/** A source record without the whole key is left out, unless the merge must be complete. */
async function addSource(
  table: KeyTable,
  source: AsyncIterable<JsonValue>,
  { key, complete }: RecordsRule,
): Promise<void> {
  const offenders = new Offenders();
  let number = 0;
  for await (const record of source) {
    number += 1;
    const text = recordKeyOf(record, key);
    if (typeof text === "string") table.addSourceKey(text);
    else if (complete || text.code !== "MISSING_KEY") offenders.add(text.code, `source record ${number}: ${text.what}`);
  }
  offenders.throwIfAny();
}

/** Shows every record of the outputs to `visit` with its key, in shard order, and counts them. */
async function visitRecords(
  outputs: ShardOutputs,
  { key, dimensions = {} }: RecordsRule,
  visit: (key: string, shard: number, record: JsonlRecord) => void,
): Promise<number> {
  const check = new RecordCheck({ key, dimensions });
  const offenders = new Offenders();
  let recordCount = 0;
  for (const shard of outputs.shards) {
    try {
      for await (const record of readRecords(outputs.stream(shard))) {
        const text = check.examine(record.value);
        if (typeof text === "string") visit(text, shard, record);
        else offenders.add(text.code, `shard ${shard}, line ${record.line}: ${text.what}`);
        recordCount += 1;
      }
    } catch (cause) {
      if (!(cause instanceof JsonlError)) throw cause;
      offenders.add("INVALID_RECORD", `shard ${shard}, ${cause.message}`, { cause });
    }
  }
  offenders.throwIfAny();
  return recordCount;
}

function rejectProblems(report: MergeReport, { onDuplicate, toleratesMissing = false }: RecordsRule): void {
  const hasDuplicates = onDuplicate === "error" && report.conflictCount > 0;
  const isIncomplete = report.difference !== "" && !(toleratesMissing && report.unexpectedCount === 0);
  if (!hasDuplicates && !isIncomplete) return;
  const problems = [
    ...(hasDuplicates ? [`duplicate ${listConflicts(report)}`] : []),
    ...(isIncomplete ? [report.difference] : []),
  ];
  throw new MergeError(hasDuplicates ? "DUPLICATE_KEY" : "INCOMPLETE", problems.join("; "), { report });
}

function isIncreasing(order: Uint32Array): boolean {
  return order.every((record, place) => place === 0 || (order[place - 1] ?? 0) < record);
}
