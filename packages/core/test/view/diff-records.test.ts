import * as fc from "fast-check";
import { expect, test } from "vitest";
import { diffRecords } from "../../src/view/diff-records.ts";

test("compares records by their key, whatever their order", () => {
  const before = [
    { id: 1, t: "a" },
    { id: 2, t: "b" },
    { id: 3, t: "c" },
  ];
  const after = [
    { id: 3, t: "c" },
    { id: 2, t: "B", n: 1 },
    { id: 4, t: "d" },
  ];
  expect(diffRecords(before, after, ["id"])).toEqual({
    added: [{ key: "4", record: { id: 4, t: "d" } }],
    removed: [{ key: "1", record: { id: 1, t: "a" } }],
    changed: [{ key: "2", before: { id: 2, t: "b" }, after: { id: 2, t: "B", n: 1 }, fields: ["t", "n"] }],
    unchanged: 1,
  });
});

test("without a key a record is its own, and equal ones are counted", () => {
  const { added, removed, changed, unchanged } = diffRecords(["x", "x", 1], ["x", 2], []);
  expect([added, removed, changed, unchanged]).toEqual([
    [{ key: "2", record: 2 }],
    [
      { key: '"x" (2)', record: "x" },
      { key: "1", record: 1 },
    ],
    [],
    1,
  ]);
});

const records = fc.array(fc.record({ k: fc.nat({ max: 5 }), v: fc.nat({ max: 2 }) }), { maxLength: 8 });

test("accounts for every record of both sides", () => {
  fc.assert(
    fc.property(records, records, fc.constantFrom<string[]>([], ["k"], ["k", "v"]), (before, after, key) => {
      const diff = diffRecords(before, after, key);
      expect(diff.unchanged + diff.changed.length + diff.removed.length).toBe(before.length);
      expect(diff.unchanged + diff.changed.length + diff.added.length).toBe(after.length);
    }),
  );
});
