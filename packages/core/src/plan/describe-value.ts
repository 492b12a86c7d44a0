import { isMap } from "./plan-path.ts";

/** Characters of a text that a message quotes. */
const MAX_QUOTED = 60;

/** Puts a text in quotes for a message; long ones are cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED - 1)}…` : text);
}

/** Names a value in a message: itself when it is short, otherwise its kind. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value === null || value === undefined) return "an empty value";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object") return isMap(value) ? "a map" : "an object that is not plain data";
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return `${value}`;
  return `a ${typeof value}`;
}

/** Joins names as a sentence does: `a, b or c`. */
export function joinNames(names: readonly string[], word: "and" | "or"): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} ${word} ${last}`;
}
