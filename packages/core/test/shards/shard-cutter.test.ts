import type { Shard } from "@fanfold/schemas";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, type JsonObject } from "../../src/jsonl/json-value.ts";
import { readRecords } from "../../src/jsonl/read-records.ts";
import { findGroupField, gatherOrder, groupValueOf } from "../../src/shards/group-records.ts";
import { createShardCutter } from "../../src/shards/shard-cutter.ts";
import type { ShardRange } from "../../src/shards/shard-plan.ts";
import { byteChunks, collect, textChunks } from "../jsonl/byte-chunks.ts";

async function cut(rule: Shard, text: string): Promise<ShardRange[]> {
  const cutter = createShardCutter(rule);
  const ranges: ShardRange[] = [];
  for await (const record of readRecords(textChunks(text), { anyValue: true })) {
    const range = cutter.push(record);
    if (range !== undefined) ranges.push(range);
  }
  return [...ranges, ...cutter.end()];
}

function jsonl(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

async function counts(rule: Shard, values: readonly unknown[]): Promise<number[]> {
  return (await cut(rule, jsonl(values))).map(({ recordCount }) => recordCount);
}

const scenes = (...ids: unknown[]) => ids.map((id) => (id === undefined ? {} : { scene_id: id }));

describe("createShardCutter", () => {
  test("full makes one shard of all records", async () => {
    expect(await cut({ strategy: "full" }, '{"a":1}\n\n{"a":2}\n{"a":3}')).toEqual([
      { byteStart: 0, byteEnd: 24, recordStart: 0, recordCount: 3 },
    ]);
  });

  test.each<Shard>([
    { strategy: "full" },
    { strategy: "chunk", chunk_size: 3 },
    { strategy: "scene" },
    { strategy: "route" },
    { strategy: "group", group_by: "x" },
  ])("no records make no shards ($strategy)", async (rule) => {
    expect(await cut(rule, "")).toEqual([]);
    expect(await cut(rule, "\n \n")).toEqual([]);
  });

  test("chunk makes shards of one size, the last may be short", async () => {
    expect(await cut({ strategy: "chunk", chunk_size: 2 }, "1\n2\n3\n4\n5\n")).toEqual([
      { byteStart: 0, byteEnd: 4, recordStart: 0, recordCount: 2 },
      { byteStart: 4, byteEnd: 8, recordStart: 2, recordCount: 2 },
      { byteStart: 8, byteEnd: 10, recordStart: 4, recordCount: 1 },
    ]);
    expect(await counts({ strategy: "chunk", chunk_size: 2 }, [1, 2, 3, 4])).toEqual([2, 2]);
  });

  test("scene cuts where the scene changes, and a scene that comes back is a new group", async () => {
    expect(await counts({ strategy: "scene" }, scenes("a", "a", "b", "a"))).toEqual([2, 1, 1]);
    expect(await counts({ strategy: "scene", batch_size: 2 }, scenes("a", "a", "b", "a"))).toEqual([3, 1]);
    expect(await counts({ strategy: "scene", batch_size: 9 }, scenes("a", "a", "b", "a"))).toEqual([4]);
  });

  test("scene takes null and missing ids for a group of its own", async () => {
    expect(await counts({ strategy: "scene" }, scenes(null, undefined, "a", null))).toEqual([2, 1, 1]);
  });

  test("groups compare by JSON value", async () => {
    expect(await counts({ strategy: "scene" }, scenes(1, "1", 1, 1.0, true, "true", null, "null"))).toEqual([
      1, 1, 2, 1, 1, 1, 1,
    ]);
    expect(await counts({ strategy: "scene" }, scenes({ a: 1, b: 2 }, { b: 2, a: 1 }))).toEqual([2]);
  });

  test("group cuts by the field it names", async () => {
    const records = [{ region: "eu" }, { region: "eu" }, {}, { region: "us" }];
    expect(await counts({ strategy: "group", group_by: "region" }, records)).toEqual([2, 1, 1]);
    expect(await counts({ strategy: "group", group_by: "constructor" }, records)).toEqual([4]);
  });

  test("route refuses records without a route, naming the first five and counting all", async () => {
    const records = [
      { route_id: "r" },
      { line_id: "l1" },
      { line_id: null, id: 7, route_id: null },
      { text: "no id" },
      { id: "two words" },
      { line_id: "l5" },
      { line_id: "l6" },
      { line_id: "l7" },
    ];
    await expect(cut({ strategy: "route" }, jsonl(records))).rejects.toMatchObject({
      code: "MISSING_ROUTE_ID",
      message: '7 records have no route_id: l1, 7, line 4, "two words", l5 (+2 more)',
    });
    await expect(cut({ strategy: "route" }, '{"line_id":"l1"}')).rejects.toThrow("1 record has no route_id: l1");
    expect(
      await counts({ strategy: "route", batch_size: 2 }, [{ route_id: 1 }, { route_id: 2 }, { route_id: 3 }]),
    ).toEqual([2, 1]);
  });

  test("refuses rules without what they need", () => {
    expect(() => createShardCutter({ strategy: "chunk" })).toThrow("strategy chunk needs chunk_size");
    expect(() => createShardCutter({ strategy: "group" })).toThrow("strategy group needs group_by");
  });
});

const groupId = fc.constantFrom("a", "b", "c", 1, "1", null);
const record = fc.record({ scene_id: groupId, region: groupId }, { requiredKeys: [] });
const routed = fc.constantFrom("a", "b", 1, "1").map((route): JsonObject => ({ route_id: route }));
const batchSize = fc.integer({ min: 1, max: 4 });
const cases = fc.oneof(
  fc.record({ rule: fc.constant<Shard>({ strategy: "full" }), records: fc.array(record) }),
  fc.record({
    rule: batchSize.map((size): Shard => ({ strategy: "chunk", chunk_size: size })),
    records: fc.array(record),
  }),
  fc.record({
    rule: batchSize.map((size): Shard => ({ strategy: "scene", batch_size: size })),
    records: fc.array(record),
  }),
  fc.record({
    rule: batchSize.map((size): Shard => ({ strategy: "group", group_by: "region", batch_size: size })),
    records: fc.array(record),
  }),
  fc.record({
    rule: batchSize.map((size): Shard => ({ strategy: "route", batch_size: size })),
    records: fc.array(routed),
  }),
);

/** Length of each run of equal group values. */
function runLengths(rule: Shard, records: readonly JsonObject[]): number[] {
  const field = findGroupField(rule);
  const groups = records.map((value) => (field === undefined ? "" : canonicalJson(groupValueOf(value, field))));
  const starts = [...groups.keys()].filter((index) => index === 0 || groups[index] !== groups[index - 1]);
  return starts.map((start, run) => (starts[run + 1] ?? groups.length) - start);
}

/** Number of records of each shard, worked out on the whole list. */
function expectedCounts(rule: Shard, records: readonly JsonObject[]): number[] {
  const size = rule.strategy === "full" ? Infinity : (rule.chunk_size ?? rule.batch_size ?? 1);
  const units = rule.strategy === "chunk" ? records.map(() => 1) : runLengths(rule, records);
  const expected: number[] = [];
  for (const [unit, length] of units.entries()) {
    const shard = Math.floor(unit / size);
    expected[shard] = (expected[shard] ?? 0) + length;
  }
  return expected;
}

describe("shards of any records", () => {
  test("hold every record exactly once, in order, and as many as the strategy says", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ rule, records }) => {
        const text = jsonl(records);
        const ranges = await cut(rule, text);
        expect(ranges.map(({ recordCount }) => recordCount)).toEqual(expectedCounts(rule, records));
        const bytes = new TextEncoder().encode(text);
        const read: unknown[] = [];
        for (const { byteStart, byteEnd, recordStart, recordCount } of ranges) {
          expect(recordStart).toBe(read.length);
          const shard = await collect(readRecords(byteChunks(bytes.subarray(byteStart, byteEnd))));
          expect(shard).toHaveLength(recordCount);
          read.push(...shard.map(({ value }) => value));
        }
        expect(read).toEqual(records);
      }),
    );
  });

  test("hold one group a value once the records are gathered by key", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record), batchSize, async (records, size) => {
        const rule: Shard = { strategy: "scene", batch_size: size, grouping: "key" };
        const order = gatherOrder(records.map((value) => groupValueOf(value, "scene_id")));
        const ranges = await cut(rule, jsonl(order.map((index) => records[index])));
        const values = new Set(records.map((value) => canonicalJson(groupValueOf(value, "scene_id"))));
        expect(ranges).toHaveLength(Math.ceil(values.size / size));
      }),
    );
  });
});
