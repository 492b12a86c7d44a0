import { canonicalJson, findField, type JsonValue } from "../jsonl/json-value.ts";
import { showValue } from "../jsonl/show-value.ts";
import type { MergeErrorCode } from "./merge-error.ts";

/** What a record must carry to be folded. */
export interface RecordDemands {
  /** Fields that together identify a record; empty for none. */
  readonly key: readonly string[];
  /** Coordinates of the phase instance; a record may not carry another value in a field of such a name. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What is wrong with a record. */
export interface RecordFault {
  readonly code: MergeErrorCode;
  readonly what: string;
}

/** Looks at records one by one, before they are folded. */
export class RecordCheck {
  readonly #key: readonly string[];
  readonly #dimensions: readonly (readonly [string, string])[];

  constructor({ key, dimensions }: RecordDemands) {
    this.#key = key;
    this.#dimensions = Object.entries(dimensions);
  }

  /** Text that identifies the key of a record, as {@link recordKeyOf} gives it, or what is wrong with the record. */
  examine(record: JsonValue): string | RecordFault {
    for (const [dimension, expected] of this.#dimensions) {
      const fault = dimensionFault(findField(record, dimension), dimension, expected);
      if (fault !== undefined) return fault;
    }
    return recordKeyOf(record, this.#key);
  }
}

/**
 * Text that identifies the key of a record: equal for equal JSON values only, empty for a key without fields.
 *
 * @returns or a fault: `MISSING_KEY` when the record lacks such a field or has null in it; `INEXACT_KEY` when one is a
 * number too large for different numbers to stay different
 */
export function recordKeyOf(record: JsonValue, fields: readonly string[]): string | RecordFault {
  const parts: string[] = [];
  const missing: string[] = [];
  const inexact: string[] = [];
  for (const field of fields) {
    const value = findField(record, field);
    if (value === undefined || value === null) missing.push(field);
    else if (isInexact(value)) inexact.push(field);
    else parts.push(canonicalJson(value));
  }
  if (missing.length > 0) return missingKey(missing);
  if (inexact[0] !== undefined) return inexactKey(inexact[0]);
  return fields.length > 1 ? `[${parts.join(",")}]` : (parts[0] ?? "");
}

function isInexact(value: JsonValue): boolean {
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}

function missingKey(fields: readonly string[]): RecordFault {
  const what = `the record has no ${fields.join(" and no ")}, which the merge needs as its key`;
  return { code: "MISSING_KEY", what };
}

function inexactKey(field: string): RecordFault {
  return { code: "INEXACT_KEY", what: `${field} is too large a number for a key; write it as a string` };
}

/** Coordinates are text, so a number or a boolean counts as its text; null says nothing. */
function dimensionFault(value: JsonValue | undefined, dimension: string, expected: string): RecordFault | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" && String(value) === expected) return undefined;
  return { code: "WRONG_DIMENSION", what: `${dimension} is ${showValue(value)}, expected ${expected}` };
}
