import type { Shard } from "@fanfold/schemas";
import { canonicalJson, findField, type JsonValue } from "../jsonl/json-value.ts";
import { ShardError } from "./shard-error.ts";

/**
 * Field whose equal values form the groups of a shard rule; `undefined` for `full` and `chunk`, which form none.
 *
 * @throws {ShardError} `INVALID_RULE` when a `group` rule names no field
 */
export function findGroupField(rule: Shard): string | undefined {
  switch (rule.strategy) {
    case "full":
    case "chunk":
      return undefined;
    case "scene":
      return "scene_id";
    case "route":
      return "route_id";
    case "group":
      if (rule.group_by === undefined) throw new ShardError("INVALID_RULE", "strategy group needs group_by");
      return rule.group_by;
    default:
      return rule.strategy satisfies never;
  }
}

/** Group a record belongs to: the value of the field, null where it is null or missing. Equal JSON values, same group. */
export function groupValueOf(record: JsonValue, field: string): JsonValue {
  return findField(record, field) ?? null;
}

/**
 * Order that puts records of equal group value together, at the first appearance of the value, and keeps their order
 * otherwise (`grouping: key`). Linear in time and memory.
 *
 * @param values group value of each record, in source order
 * @returns for each place of the new order, the index of the record that goes there
 */
export function gatherOrder(values: Iterable<JsonValue>): number[] {
  const members = new Map<string, number[]>();
  let index = 0;
  for (const value of values) {
    const group = canonicalJson(value);
    const known = members.get(group);
    if (known === undefined) members.set(group, [index]);
    else known.push(index);
    index += 1;
  }
  return [...members.values()].flat();
}
