import type { ItemFormat } from "@fanfold/schemas";
import { type JsonValue, parseJson } from "../jsonl/json-value.ts";

/** How the items of an artifact are read: `auto` looks at the text. */
export type ItemReading = ItemFormat | "auto";

/**
 * Items of a text, in their order. A text that is empty, or has blanks only, has none.
 *
 * - `json_array`: the elements of the list; any other JSON value is one item, and so is a text that is no JSON, as it is.
 * - `line_delimited`: one item a line. A line that is a JSON object, list or quoted text is that value, any other its text.
 * - `comma_separated`: what stands between commas and line breaks, as text. Quotes mean nothing.
 * - `auto`: a text that begins with `[` or `{` is a JSON value if it is one, else lines if each of them is a JSON value,
 *   else one item. Any other text of several lines is lines; of one line with a comma, comma-separated; else one item.
 *
 * Lines and cells are trimmed, and blank ones left out.
 */
export function readItems(text: string, reading: ItemReading): JsonValue[] {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  if (trimmed === "") return [];
  switch (reading) {
    case "json_array":
      return elementsOf(trimmed) ?? [trimmed];
    case "line_delimited":
      return lines(trimmed).map(lineValue);
    case "comma_separated":
      return lines(trimmed).flatMap((line) => nonBlank(line.split(",")));
    case "auto":
      return readByLook(trimmed);
    default:
      return reading satisfies never;
  }
}

/** An item as text: texts as they are, other values as compact JSON. */
export function itemText(item: JsonValue): string {
  return typeof item === "string" ? item : JSON.stringify(item);
}

/** What stands for the item of a shard, and for its index, in the texts of a phase with `for_each`. */
const ITEM_REFERENCE = /\{\{\s*(item|index)\s*\}\}/g;

/** Whether a text refers to the item itself, and not only to its index. */
export function hasItemReference(text: string): boolean {
  return Array.from(text.matchAll(ITEM_REFERENCE)).some(([, name]) => name === "item");
}

/** Whether a text refers to the place of the item among the others. */
export function hasIndexReference(text: string): boolean {
  return Array.from(text.matchAll(ITEM_REFERENCE)).some(([, name]) => name === "index");
}

/** Puts an item and its index into a text, in one pass: what takes a reference's place is not looked at again. */
export function replaceItem(text: string, { text: item, index }: { text: string; index: number }): string {
  return text.replace(ITEM_REFERENCE, (_, name: string) => (name === "item" ? item : String(index)));
}

function readByLook(text: string): JsonValue[] {
  const all = lines(text);
  if (/^[[{]/.test(text)) {
    return elementsOf(text) ?? (all.every((line) => findJson(line) !== undefined) ? all.map(lineValue) : [text]);
  }
  if (all.length > 1) return all.map(lineValue);
  const isQuoted = text.startsWith('"') && findJson(text) !== undefined;
  return text.includes(",") && !isQuoted ? nonBlank(text.split(",")) : [lineValue(text)];
}

/** Elements of a JSON list, or the one value that is no list; undefined where the text is no JSON. */
function elementsOf(text: string): JsonValue[] | undefined {
  const value = findJson(text);
  return value === undefined || Array.isArray(value) ? value : [value];
}

/** Numbers and such stay the text they are, so that `1.10` is not 1.1. */
function lineValue(line: string): JsonValue {
  return /^[[{"]/.test(line) ? (findJson(line) ?? line) : line;
}

function findJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function lines(text: string): string[] {
  return nonBlank(text.split(/\r\n|\n|\r/));
}

function nonBlank(texts: readonly string[]): string[] {
  return texts.map((text) => text.trim()).filter((text) => text !== "");
}
