import { describe, expect, test } from "vitest";
import { fnv1a32, seededUnit } from "../../src/policy/seeded-unit.ts";

describe("fnv1a32", () => {
  test.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("hashes %j to its published value", (text, hash) => {
    expect(fnv1a32(text)).toBe(hash);
  });
});

describe("seededUnit", () => {
  test("gives the same number for the same seed, on every machine and release", () => {
    expect(seededUnit("run_1/translate/0/1")).toBe(seededUnit("run_1/translate/0/1"));
    expect(seededUnit("run_1/translate/0/1")).toMatchInlineSnapshot(`0.9357011367101222`);
  });

  test("spreads near seeds evenly over [0, 1)", () => {
    const units = Array.from({ length: 10_000 }, (_, shard) => seededUnit(`run_1/translate/${shard}/1`));
    const counts = Array.from({ length: 10 }, (_, tenth) => units.filter((u) => Math.floor(u * 10) === tenth).length);
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
    expect(new Set(units).size).toBeGreaterThan(9_990);
  });
});
