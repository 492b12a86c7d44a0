import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeShardEntry,
  decodeShardRange,
  encodeShardPlan,
  SHARD_PLAN_ENTRY_BYTES,
  SHARD_PLAN_HEADER_BYTES,
  ShardPlanEncoder,
  type ShardRange,
  shardPlanLength,
} from "../../src/shards/shard-plan.ts";

const place = fc.maxSafeNat();
const ranges = fc.array(fc.record({ byteStart: place, byteEnd: place, recordStart: place, recordCount: place }), {
  maxLength: 200,
});
const range: ShardRange = { byteStart: 1, byteEnd: 2, recordStart: 3, recordCount: 4 };

describe("shard plan", () => {
  test("gives back every range it was made of", () => {
    fc.assert(
      fc.property(ranges, (shards) => {
        const plan = encodeShardPlan(shards);
        expect(shardPlanLength(plan)).toBe(shards.length);
        expect(shards.map((_, shard) => decodeShardRange(plan, shard))).toEqual(shards);
      }),
    );
  });

  test("holds many shards", () => {
    const shards = Array.from({ length: 10_000 }, (_, at) => ({ ...range, byteStart: at, recordStart: 2 ** 50 + at }));
    const plan = encodeShardPlan(shards);
    expect(plan).toHaveLength(SHARD_PLAN_HEADER_BYTES + 10_000 * SHARD_PLAN_ENTRY_BYTES);
    expect(shards.map((_, shard) => decodeShardRange(plan, shard))).toEqual(shards);
  });

  test("of very many shards comes in pieces that are the whole of it", () => {
    const encoder = new ShardPlanEncoder();
    for (let at = 0; at < 100_000; at += 1) encoder.add({ ...range, byteStart: at });
    const pieces = [...encoder.pieces()];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(1.1 * 2 ** 20);
    const plan = Buffer.concat(pieces);
    expect([encoder.shardCount, shardPlanLength(plan), pieces.length]).toEqual([100_000, 100_000, 4]);
    for (const at of [0, 32_894, 32_895, 65_663, 99_999]) expect(decodeShardRange(plan, at).byteStart).toBe(at);
  });

  test("lets one entry be read by its offset alone", () => {
    const plan = encodeShardPlan([range, { ...range, byteStart: 2 ** 40 }]);
    const start = SHARD_PLAN_HEADER_BYTES + SHARD_PLAN_ENTRY_BYTES;
    expect(decodeShardEntry(plan.subarray(start, start + SHARD_PLAN_ENTRY_BYTES))).toEqual({
      ...range,
      byteStart: 2 ** 40,
    });
  });

  test("has the same bytes everywhere", () => {
    expect([...encodeShardPlan([])]).toEqual([0x46, 0x46, 0x53, 0x50, 1, 0, 0, 0]);
    expect([...encodeShardPlan([range]).subarray(8, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  });

  test("is read from the middle of a larger buffer", () => {
    const plan = encodeShardPlan([range]);
    const larger = new Uint8Array(plan.length + 3);
    larger.set(plan, 3);
    expect(decodeShardRange(larger.subarray(3), 0)).toEqual(range);
  });

  test("can be encoded while shards are still added", () => {
    const encoder = new ShardPlanEncoder();
    encoder.add(range);
    const before = Buffer.concat([...encoder.pieces()]);
    encoder.add(range);
    const after = Buffer.concat([...encoder.pieces()]);
    expect([encoder.shardCount, shardPlanLength(before), shardPlanLength(after)]).toEqual([2, 1, 2]);
  });

  test("refuses bytes that are no plan, and shards that are not in it", () => {
    const plan = encodeShardPlan([range]);
    for (const bytes of [new Uint8Array(0), new Uint8Array(40), plan.subarray(0, 39), plan.subarray(1)]) {
      expect(() => shardPlanLength(bytes)).toThrow(expect.objectContaining({ code: "INVALID_SHARD_PLAN" }));
    }
    const later = plan.slice();
    later[4] = 2;
    expect(() => shardPlanLength(later)).toThrow("shard plan has version 2, this release reads 1");
    expect(() => decodeShardEntry(plan)).toThrow(expect.objectContaining({ code: "INVALID_SHARD_PLAN" }));
    for (const shard of [-1, 1, 0.5, Number.NaN]) {
      expect(() => decodeShardRange(plan, shard)).toThrow(expect.objectContaining({ code: "SHARD_NOT_IN_PLAN" }));
    }
  });
});
