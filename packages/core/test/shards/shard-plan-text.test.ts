import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeShardPlan, type ShardRange } from "../../src/shards/shard-plan.ts";
import { readShardPlanText, shardPlanText } from "../../src/shards/shard-plan-text.ts";

/** Shards of these sizes, one behind the other. */
function inARow(sizes: readonly (readonly [bytes: number, records: number])[]): ShardRange[] {
  let [byteStart, recordStart] = [0, 0];
  return sizes.map(([bytes, recordCount]) => {
    const range = { byteStart, byteEnd: byteStart + bytes, recordStart, recordCount };
    byteStart += bytes;
    recordStart += recordCount;
    return range;
  });
}

describe("the text of a shard plan", () => {
  test("stands for the same plan", () => {
    const size = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 2 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 50 }), (sizes) => {
        const plan = encodeShardPlan(inARow(sizes));
        expect(readShardPlanText(shardPlanText(plan) ?? "none")).toEqual(plan);
      }),
    );
  });

  test("is short where shards are alike", () => {
    expect(
      shardPlanText(
        encodeShardPlan(
          inARow([
            [8, 1],
            [8, 1],
            [9, 1],
            [20, 3],
          ]),
        ),
      ),
    ).toBe("8.1*2 9.1 20.3");
    expect(shardPlanText(encodeShardPlan([]))).toBe("");
  });

  test("is none where something lies between the shards, or before them", () => {
    const first = { byteStart: 0, byteEnd: 8, recordStart: 0, recordCount: 1 };
    const second = { byteStart: 8, byteEnd: 16, recordStart: 1, recordCount: 1 };
    expect(shardPlanText(encodeShardPlan([first, second]))).toBe("8.1*2");
    expect(shardPlanText(encodeShardPlan([first, { ...second, byteStart: 9 }]))).toBeUndefined();
    expect(shardPlanText(encodeShardPlan([first, { ...second, recordStart: 2 }]))).toBeUndefined();
    expect(shardPlanText(encodeShardPlan([second]))).toBeUndefined();
  });

  test.each(["x", "8", "8.1*", "8.1  9.1", "-8.1", "8.1*x"])("that is none is refused: %s", (text) => {
    expect(() => readShardPlanText(text)).toThrow("is no part of a shard plan");
  });
});
