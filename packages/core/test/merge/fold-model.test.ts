import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../src/jsonl/json-value.ts";
import { foldArray } from "../../src/merge/fold-array.ts";
import { foldConcat } from "../../src/merge/fold-concat.ts";
import { foldObject } from "../../src/merge/fold-object.ts";
import { foldRecords, type RecordsRule } from "../../src/merge/fold-records.ts";
import { MergeError } from "../../src/merge/merge-error.ts";
import { chunkSizes } from "../jsonl/byte-chunks.ts";
import { foldedText, MemoryOutputs } from "./memory-outputs.ts";

type Key = string | number;
interface Entry {
  key: Key;
  shard: number;
  text: string;
}
interface Case {
  shards: Key[][];
  source: Key[] | undefined;
  onDuplicate: "error" | "first" | "last";
  complete: boolean;
}

const keys = fc.constantFrom<Key>("a", "b", "c", "1", "2", 1, 2, 3, "z z");
const cases: fc.Arbitrary<Case> = fc.record({
  shards: fc.oneof(
    fc.array(fc.array(keys, { maxLength: 4 }), { maxLength: 5 }),
    fc.uniqueArray(keys).map((all) => [all.slice(0, 3), [], all.slice(3)]),
  ),
  source: fc.option(fc.uniqueArray(keys), { nil: undefined }),
  onDuplicate: fc.constantFrom("error" as const, "first" as const, "last" as const),
  complete: fc.boolean(),
});

function entriesOf(shards: readonly Key[][]): Entry[] {
  return shards.flatMap((list, shard) =>
    list.map((key, at) => ({ key, shard, text: `{"n": ${at},"key":${JSON.stringify(key)},"shard":${shard}}` })),
  );
}

/** Completes the shards in the given order, each with the lines of its entries. */
function completeIn(order: readonly number[], shards: readonly Key[][], sizes: readonly number[]): MemoryOutputs {
  const outputs = new MemoryOutputs(shards.length, sizes);
  const entries = entriesOf(shards);
  for (const shard of order) {
    const lines = entries.filter((entry) => entry.shard === shard).map(({ text }) => text);
    outputs.complete(shard, lines.join(shard % 2 === 0 ? "\n" : "\r\n\n") + (shard % 3 === 0 ? "\n" : ""));
  }
  return outputs;
}

function ruleOf({ source, onDuplicate, complete }: Case): RecordsRule {
  const rule: RecordsRule = { key: ["key"], onDuplicate, complete: complete && source !== undefined };
  return source === undefined ? rule : { ...rule, source: streamOf(source) };
}

async function* streamOf(values: readonly Key[]): AsyncGenerator<JsonValue> {
  for (const key of values) yield { key };
}

/** What the fold should give, worked out on lists: the text, or the code of the rejection. */
function model({ shards, source, onDuplicate, complete }: Case): { text: string; conflictCount: number } | string {
  const entries = entriesOf(shards);
  const distinct = [...new Set(entries.map(({ key }) => key))];
  const conflictCount = distinct.filter((key) => entries.filter((entry) => entry.key === key).length > 1).length;
  if (onDuplicate === "error" && conflictCount > 0) return "DUPLICATE_KEY";
  const known = source ?? [];
  const isExact = distinct.length === known.length && distinct.every((key) => known.includes(key));
  if (complete && source !== undefined && !isExact) return "INCOMPLETE";
  const kept = entries.filter(({ key }, at) => {
    const places = entries.flatMap((entry, place) => (entry.key === key ? [place] : []));
    return at === (onDuplicate === "last" ? places.at(-1) : places[0]);
  });
  const place = ({ key }: Entry) => (known.includes(key) ? known.indexOf(key) : known.length);
  const sorted = kept.toSorted((a, b) => place(a) - place(b));
  return { text: sorted.map(({ text }) => `${text}\n`).join(""), conflictCount };
}

async function outcome(outputs: MemoryOutputs, rule: RecordsRule): Promise<ReturnType<typeof model>> {
  try {
    const { report, chunks } = await foldRecords(outputs, rule);
    return { text: await foldedText(chunks), conflictCount: report.conflictCount };
  } catch (error) {
    if (error instanceof MergeError) return error.code;
    throw error;
  }
}

/** When each of up to five shards completes: any order. */
const completion = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 });

function orderOf(times: readonly number[], shardCount: number): number[] {
  return Array.from({ length: shardCount }, (_, shard) => shard).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
}

describe("folds", () => {
  test("of records equal a fold on lists, whatever order the shards complete in", async () => {
    await fc.assert(
      fc.asyncProperty(cases, completion, chunkSizes, async (example, weights, sizes) => {
        const outputs = completeIn(orderOf(weights, example.shards.length), example.shards, sizes);
        expect(await outcome(outputs, ruleOf(example))).toEqual(model(example));
      }),
      { numRuns: 400 },
    );
  });

  test("of any kind give the same bytes whatever order the shards complete in", async () => {
    const values = fc.array(fc.jsonValue(), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(values, completion, chunkSizes, async (list, weights, sizes) => {
        const inOrder = new MemoryOutputs(list.length);
        const shuffled = new MemoryOutputs(list.length, sizes);
        for (const [shard, value] of list.entries()) inOrder.complete(shard, JSON.stringify(value));
        for (const shard of orderOf(weights, list.length)) shuffled.complete(shard, JSON.stringify(list[shard]));
        expect(await foldedText(foldConcat(shuffled))).toBe(await foldedText(foldConcat(inOrder)));
        const array = await foldedText(foldArray(shuffled));
        expect(array).toBe(await foldedText(foldArray(inOrder)));
        expect(JSON.parse(array)).toEqual(JSON.parse(JSON.stringify(list)));
      }),
    );
  });

  test("of records by several fields equal a fold on lists", async () => {
    const part = fc.constantFrom<JsonValue | undefined>("a", "b", "a,b", '["a"]', 1, "1", null, undefined);
    const record = fc.record({ left: part, right: part });
    const whole = record.filter(({ left, right }) => hasValue(left) && hasValue(right));
    const policy = fc.constantFrom("first" as const, "last" as const);
    const shards = fc.array(fc.array(whole, { maxLength: 4 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(shards, fc.array(record), policy, async (lists, source, onDuplicate) => {
        const outputs = new MemoryOutputs(lists.length);
        const lines = lists.map((list, shard) => list.map((pair) => JSON.stringify({ ...pair, shard })));
        for (const [shard, list] of lines.entries()) outputs.complete(shard, list.join("\n"));
        const rule = { key: ["left", "right"], onDuplicate, complete: false, source: recordsOf(source) };
        const { chunks } = await foldRecords(outputs, rule);
        expect(await foldedText(chunks)).toBe(tupleModel(lines.flat(), source, onDuplicate));
      }),
    );
  });

  test("of objects equal a fold on lists", async () => {
    const key = fc.constantFrom("a", "b", "10", "2", "__proto__", "constructor", "", "é", '"\\');
    const objects = fc.array(fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 4 }), { maxLength: 5 });
    const policy = fc.constantFrom("error" as const, "first" as const, "last" as const);
    await fc.assert(
      fc.asyncProperty(objects, policy, completion, chunkSizes, async (shards, onDuplicate, weights, sizes) => {
        const outputs = new MemoryOutputs(shards.length, sizes);
        const spelled = shards.map((members) => members.map(([k, v]) => `${JSON.stringify(k)} : ${JSON.stringify(v)}`));
        for (const shard of orderOf(weights, shards.length)) {
          outputs.complete(shard, `{ ${(spelled[shard] ?? []).join("\n, ")} }`);
        }
        const folded = foldObject(outputs, { onDuplicate }).then(({ chunks }) => foldedText(chunks));
        expect(await folded.catch((error: MergeError) => error.code)).toBe(objectModel(shards.flat(), onDuplicate));
      }),
    );
  });
});

type Pair = { left: JsonValue | undefined; right: JsonValue | undefined };

function hasValue(part: JsonValue | undefined): boolean {
  return part !== undefined && part !== null;
}

async function* recordsOf(pairs: readonly Pair[]): AsyncGenerator<JsonValue> {
  for (const pair of pairs) yield JSON.parse(JSON.stringify(pair));
}

/** Lines by the source place of their pair, one a pair. */
function tupleModel(lines: readonly string[], source: readonly Pair[], onDuplicate: "first" | "last"): string {
  const pairOf = (line: string): string => {
    const { left, right }: Pair = JSON.parse(line);
    return JSON.stringify([left, right]);
  };
  const known = source.filter(({ left, right }) => hasValue(left) && hasValue(right));
  const places = known.map(({ left, right }) => JSON.stringify([left, right]));
  const isKept = (line: string, at: number): boolean => {
    const others = onDuplicate === "first" ? lines.slice(0, at) : lines.slice(at + 1);
    return !others.some((other) => pairOf(other) === pairOf(line));
  };
  const placeOf = (line: string): number => (places.includes(pairOf(line)) ? places.indexOf(pairOf(line)) : Infinity);
  const kept = lines.filter(isKept).map((line) => ({ line, place: placeOf(line) }));
  kept.sort((a, b) => (a.place === b.place ? 0 : a.place - b.place));
  return kept.map(({ line }) => `${line}\n`).join("");
}

/** Text of the merged object, or the code of the rejection. */
function objectModel(members: readonly [string, unknown][], onDuplicate: "error" | "first" | "last"): string {
  const merged = new Map<string, unknown>();
  for (const [key, value] of members) {
    if (!merged.has(key) || onDuplicate === "last") merged.set(key, value);
  }
  if (onDuplicate === "error" && merged.size < members.length) return "DUPLICATE_KEY";
  const text = [...merged].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",");
  return `{${text}}\n`;
}
