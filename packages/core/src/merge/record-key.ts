import { canonicalJson, findField, type JsonValue } from "../jsonl/json-value.ts";
import { MergeError } from "./merge-error.ts";

/**
 * Text that identifies the key of a record: equal for equal JSON values only.
 *
 * @param where says which record it is, for the message
 * @throws {MergeError} `MISSING_KEY` when the record has no such field or null in it; `INEXACT_KEY` when it is a number
 * too large for different numbers to stay different
 */
export function recordKeyOf(record: JsonValue, field: string, where: () => string): string {
  return keyText(findField(record, field), field, where);
}

/** {@link recordKeyOf} of a key already taken out of its record. */
export function keyText(key: JsonValue | undefined, field: string, where: () => string): string {
  if (key === undefined || key === null) {
    throw new MergeError("MISSING_KEY", `${where()}: the record has no ${field}, which the merge needs as its key`);
  }
  if (typeof key === "number" && Math.abs(key) > Number.MAX_SAFE_INTEGER) {
    throw new MergeError("INEXACT_KEY", `${where()}: ${field} is too large a number for a key; write it as a string`);
  }
  return canonicalJson(key);
}
