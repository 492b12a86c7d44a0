import { isJsonObject, type JsonValue } from "../jsonl/json-value.ts";

/** A record that is in both outputs under one key, and not the same. */
export interface ChangedRecord {
  readonly key: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  /** Fields that differ; empty where one of the two is not an object. */
  readonly fields: readonly string[];
}

/** How the records of one output differ from those of another. */
export interface RecordDiff {
  readonly added: readonly { readonly key: string; readonly record: JsonValue }[];
  readonly removed: readonly { readonly key: string; readonly record: JsonValue }[];
  readonly changed: readonly ChangedRecord[];
  readonly unchanged: number;
}

/**
 * Compares records by their key, whatever their order. Without a key a record is its own: then nothing is changed, only
 * added and removed. Records that share a key are told apart by how many of that key came before them.
 *
 * @param key fields that identify a record
 */
export function diffRecords(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  key: readonly string[],
): RecordDiff {
  const old = byKey(before, key);
  const added: { key: string; record: JsonValue }[] = [];
  const changed: ChangedRecord[] = [];
  let unchanged = 0;
  for (const [name, record] of byKey(after, key)) {
    const was = old.get(name);
    if (was === undefined) added.push({ key: name, record });
    else if (JSON.stringify(was) === JSON.stringify(record)) unchanged += 1;
    else changed.push({ key: name, before: was, after: record, fields: differentFields(was, record) });
    old.delete(name);
  }
  const removed = Array.from(old, ([name, record]) => ({ key: name, record }));
  return { added, removed, changed, unchanged };
}

function byKey(records: readonly JsonValue[], key: readonly string[]): Map<string, JsonValue> {
  const counts = new Map<string, number>();
  const named = new Map<string, JsonValue>();
  for (const record of records) {
    const name = keyOf(record, key);
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    named.set(nth === 1 ? name : `${name} (${nth})`, record);
  }
  return named;
}

function keyOf(record: JsonValue, key: readonly string[]): string {
  if (key.length === 0 || !isJsonObject(record)) return JSON.stringify(record);
  return key.map((field) => plainText(record[field])).join(", ");
}

function plainText(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function differentFields(before: JsonValue, after: JsonValue): string[] {
  if (!isJsonObject(before) || !isJsonObject(after)) return [];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}
