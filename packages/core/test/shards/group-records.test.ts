import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/jsonl/json-value.ts";
import { findGroupField, gatherOrder, groupValueOf } from "../../src/shards/group-records.ts";

describe("gatherOrder", () => {
  test("puts equal values together at their first appearance", () => {
    expect(gatherOrder(["a", "b", "a", null, "b", "a"])).toEqual([0, 2, 5, 1, 4, 3]);
    expect(gatherOrder([])).toEqual([]);
  });

  test("is a stable permutation that leaves one run a value", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "1", 1, null, true)), (values) => {
        const order = gatherOrder(values);
        expect([...order].sort((a, b) => a - b)).toEqual([...values.keys()]);
        const gathered = order.map((index) => canonicalJson(values[index] ?? null));
        const firstPlaces = [...new Set(values.map(canonicalJson))];
        expect(gathered.filter((value, place) => value !== gathered[place - 1])).toEqual(firstPlaces);
        const isStable = order.every(
          (index, place) => gathered[place] !== gathered[place - 1] || index > (order[place - 1] ?? Infinity),
        );
        expect(isStable).toBe(true);
      }),
    );
  });
});

describe("groupValueOf", () => {
  test("is null for a field that is null or missing, and for values that are no records", () => {
    expect([{ s: "a" }, { s: 0 }, { s: null }, {}, [1], "s"].map((record) => groupValueOf(record, "s"))).toEqual([
      "a",
      0,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("findGroupField", () => {
  test("knows the field of each strategy", () => {
    expect(findGroupField({ strategy: "full" })).toBe(undefined);
    expect(findGroupField({ strategy: "chunk", chunk_size: 2 })).toBe(undefined);
    expect(findGroupField({ strategy: "scene" })).toBe("scene_id");
    expect(findGroupField({ strategy: "route" })).toBe("route_id");
    expect(findGroupField({ strategy: "group", group_by: "region" })).toBe("region");
    expect(() => findGroupField({ strategy: "group" })).toThrow(expect.objectContaining({ code: "INVALID_RULE" }));
  });
});
