import { parseJson } from "../jsonl/json-value.ts";
import { JsonlError } from "../jsonl/jsonl-error.ts";
import { objectMembers } from "../jsonl/object-members.ts";
import { readJsonObjectText } from "../jsonl/read-json.ts";
import { showValue } from "../jsonl/show-value.ts";
import type { FoldResult } from "./fold-result.ts";
import { gatherWindows, type RecordWindow } from "./gather-records.ts";
import { type DuplicatePolicy, KeyTable } from "./key-table.ts";
import { listConflicts } from "./list-conflicts.ts";
import { MergeError } from "./merge-error.ts";
import { Offenders } from "./offenders.ts";
import { RecordIndex } from "./record-index.ts";
import type { ShardOutputs } from "./shard-outputs.ts";

/** How objects are folded. */
export interface ObjectRule {
  /** What becomes of a key that comes twice, in two objects or in one. */
  onDuplicate: DuplicatePolicy;
}

/**
 * Folds JSON objects, one a shard, into one object on one line: keys in order of their first appearance, in shard
 * order. Values are parsed and written again, so that equal values give equal bytes.
 *
 * Reads the outputs twice, the second time range by range; holds the keys (and 16 bytes each), and one object or one
 * window of the result.
 *
 * @throws {MergeError} `INVALID_VALUE` or `DUPLICATE_KEY`, before there is any chunk
 */
export async function foldObject(outputs: ShardOutputs, { onDuplicate }: ObjectRule): Promise<FoldResult> {
  const table = new KeyTable({ policy: onDuplicate, hasSource: false, showKey });
  const index = new RecordIndex();
  await indexMembers(outputs, table, index);
  const report = table.report({ complete: false });
  if (onDuplicate === "error" && report.conflictCount > 0) {
    throw new MergeError("DUPLICATE_KEY", `duplicate ${listConflicts(report)}`, { report });
  }
  return { report, chunks: writeObject(outputs, table, index) };
}

function showKey(text: string): string {
  return showValue(parseJson(text));
}

/** Indexes the values of all objects; a key is kept as the JSON text that spells it. */
async function indexMembers(outputs: ShardOutputs, table: KeyTable, index: RecordIndex): Promise<void> {
  const offenders = new Offenders();
  for (const shard of outputs.shards) {
    try {
      for (const { key, start, end } of objectMembers(await readJsonObjectText(outputs.stream(shard)))) {
        table.addRecord(JSON.stringify(key), index.add(shard, start, end - start), index);
      }
    } catch (cause) {
      if (!(cause instanceof JsonlError)) throw cause;
      offenders.add("INVALID_VALUE", `shard ${shard}, ${cause.message}`, { cause });
    }
  }
  offenders.throwIfAny();
}

async function* writeObject(
  outputs: ShardOutputs,
  table: KeyTable,
  index: RecordIndex,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const keys = table.keys()[Symbol.iterator]();
  let before = "{";
  for await (const window of gatherWindows(outputs, index, table.winners())) {
    const members = valuesOf(window, index).map((value) => `${keys.next().value}:${value}`);
    yield encoder.encode(`${before}${members.join(",")}`);
    before = ",";
  }
  yield encoder.encode(before === "{" ? "{}\n" : "}\n");
}

/** The values of a window, written again. */
function valuesOf({ records, bytes }: RecordWindow, index: RecordIndex): string[] {
  const decoder = new TextDecoder();
  const values: string[] = [];
  let at = 0;
  for (const record of records) {
    const end = at + index.lengthOf(record);
    values.push(JSON.stringify(parseJson(decoder.decode(bytes.subarray(at, end)))));
    at = end + 1;
  }
  return values;
}
