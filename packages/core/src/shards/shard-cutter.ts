import type { Shard } from "@fanfold/schemas";
import { canonicalJson, findField, type JsonValue } from "../jsonl/json-value.ts";
import { LISTED_NAMES, listNames, showValue } from "../jsonl/show-value.ts";
import { findGroupField, groupValueOf } from "./group-records.ts";
import { ShardError } from "./shard-error.ts";
import type { ShardRange } from "./shard-plan.ts";

/** What the cutter needs of a record: its place in the stream and its value. */
export interface CutRecord {
  start: number;
  end: number;
  line: number;
  value: JsonValue;
}

/** Cuts a stream of records into shards as it passes by, in constant memory. */
export interface ShardCutter {
  /** Takes the next record; gives the range of the shard that ended before it, if one did. */
  push(record: CutRecord): ShardRange | undefined;
  /**
   * Ends the stream; gives the range of the last shard, none if there was no record. Ranges handed out before hold
   * only once this has returned.
   *
   * @throws {ShardError} `MISSING_ROUTE_ID` when the strategy is `route` and records have no `route_id`
   */
  end(): ShardRange[];
}

/** Whether a record starts a new shard, given the number of records in the current one. Called once a record. */
type Boundary = (record: CutRecord, recordCount: number) => boolean;

/**
 * Cutter for a shard rule. Every record falls into exactly one shard and shards follow source order. With `grouping:
 * key` the stream must already be regrouped (see {@link gatherOrder}).
 *
 * @throws {ShardError} `INVALID_RULE` when `chunk` has no size or `group` no field
 */
export function createShardCutter(rule: Shard): ShardCutter {
  const startsShard = boundaryOf(rule);
  const missingRoutes = rule.strategy === "route" ? new MissingRoutes() : undefined;
  let current: ShardRange | undefined;
  return {
    push(record) {
      missingRoutes?.check(record);
      if (current !== undefined && !startsShard(record, current.recordCount)) {
        current.byteEnd = record.end;
        current.recordCount += 1;
        return undefined;
      }
      if (current === undefined) startsShard(record, 0);
      const finished = current;
      const recordStart = finished === undefined ? 0 : finished.recordStart + finished.recordCount;
      current = { byteStart: record.start, byteEnd: record.end, recordStart, recordCount: 1 };
      return finished;
    },
    end() {
      missingRoutes?.throwIfAny();
      return current === undefined ? [] : [current];
    },
  };
}

function boundaryOf(rule: Shard): Boundary {
  const field = findGroupField(rule);
  if (field !== undefined) return groupBoundary(field, rule.batch_size ?? 1);
  if (rule.strategy === "full") return () => false;
  const size = rule.chunk_size;
  if (size === undefined) throw new ShardError("INVALID_RULE", "strategy chunk needs chunk_size");
  return (_record, recordCount) => recordCount === size;
}

function groupBoundary(field: string, batchSize: number): Boundary {
  let lastGroup: string | undefined;
  let groupCount = 0;
  return (record) => {
    const group = canonicalJson(groupValueOf(record.value, field));
    if (group === lastGroup) return false;
    lastGroup = group;
    const isFull = groupCount === batchSize;
    groupCount = isFull ? 1 : groupCount + 1;
    return isFull;
  };
}

/** Counts the records without a `route_id` and remembers the first few. */
class MissingRoutes {
  #count = 0;
  readonly #names: string[] = [];

  check(record: CutRecord): void {
    if (groupValueOf(record.value, "route_id") !== null) return;
    this.#count += 1;
    if (this.#names.length < LISTED_NAMES) this.#names.push(nameOf(record));
  }

  throwIfAny(): void {
    if (this.#count === 0) return;
    const subject = this.#count === 1 ? "1 record has" : `${this.#count} records have`;
    throw new ShardError("MISSING_ROUTE_ID", `${subject} no route_id: ${listNames(this.#names, this.#count)}`);
  }
}

function nameOf(record: CutRecord): string {
  const id = findField(record.value, "line_id") ?? findField(record.value, "id") ?? null;
  return id === null ? `line ${record.line}` : showValue(id);
}
