import type { PrintParts } from "@fanfold/schemas";

/** A part of a fingerprint, as people are told of it: a consumed artifact is `consumes NAME`. */
export type PartName = "format" | "work" | "code" | "env" | "key" | "records" | `consumes ${string}`;

/** Names of the parts in which two phases differ, those of their records apart. */
export function differingParts(one: PrintParts, other: PrintParts): PartName[] {
  const own = (["format", "work", "code", "env", "key"] as const).filter((part) => one[part] !== other[part]);
  const names = new Set([...Object.keys(one.consumes), ...Object.keys(other.consumes)]);
  const consumed = [...names].sort().filter((name) => one.consumes[name] !== other.consumes[name]);
  return [...own, ...consumed.map((name) => `consumes ${name}` as const)];
}
