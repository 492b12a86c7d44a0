import type { CompiledPhase } from "@fanfold/schemas";
import type { JsonValue } from "../jsonl/json-value.ts";
import { findGroupField, gatherOrder, groupValueOf } from "../shards/group-records.ts";
import { createShardCutter } from "../shards/shard-cutter.ts";
import { ShardError } from "../shards/shard-error.ts";

/** How many shards a phase will have: the number, or when it will be known. Serialised as it is. */
export interface ShardForecast {
  readonly count: number | null;
  readonly text: string;
}

/** Tells the number of a phase's shards where its records are in the plan. */
export function countShards({
  shard,
  over_phase,
  for_each,
}: Pick<CompiledPhase, "shard" | "over_phase" | "for_each">): ShardForecast {
  if (shard === null || shard.over === undefined) return { count: 1, text: "1" };
  if (for_each !== undefined) return { count: null, text: `one for each item, known when ${over_phase} has run` };
  const { strategy, over } = shard;
  if (typeof over === "string") {
    return { count: null, text: `by ${strategy}, known when ${over_phase ?? over} has run` };
  }
  try {
    const count = cut(shard, over);
    return { count, text: `${count} by ${strategy}, from ${over.length} record${over.length === 1 ? "" : "s"}` };
  } catch (error) {
    if (error instanceof ShardError) return { count: null, text: `none: ${error.message}` };
    throw error;
  }
}

function cut(shard: NonNullable<CompiledPhase["shard"]>, records: readonly JsonValue[]): number {
  const field = shard.grouping === "key" ? findGroupField(shard) : undefined;
  const order =
    field === undefined ? records.keys() : gatherOrder(records.map((record) => groupValueOf(record, field)));
  const cutter = createShardCutter(shard);
  let count = 0;
  for (const at of order) {
    const range = cutter.push({ start: at, end: at + 1, line: at + 1, value: records[at] ?? null });
    if (range !== undefined) count += 1;
  }
  return count + cutter.end().length;
}
