import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../src/jsonl/json-value.ts";
import { foldRecords, type RecordsRule } from "../../src/merge/fold-records.ts";
import { MergeError } from "../../src/merge/merge-error.ts";
import type { ShardOutputs } from "../../src/merge/shard-outputs.ts";
import { foldedText, outputsOf, someOutputsOf } from "./memory-outputs.ts";

/** Source records with these ids; undefined stands for a record without an id. */
async function* keys(...values: (JsonValue | undefined)[]): AsyncGenerator<JsonValue> {
  for (const id of values) yield id === undefined ? {} : { id };
}

const byId: RecordsRule = { key: ["id"], onDuplicate: "error", complete: false };

async function fold(outputs: ShardOutputs, rule: RecordsRule): Promise<string> {
  return foldedText((await foldRecords(outputs, rule)).chunks);
}

async function rejection(outputs: ShardOutputs, rule: RecordsRule): Promise<MergeError> {
  const failure: unknown = await foldRecords(outputs, rule).catch((error: unknown) => error);
  if (failure instanceof MergeError) return failure;
  throw new Error(`expected a MergeError, got ${String(failure)}`);
}

const ids = (...values: unknown[]) => values.map((id) => `{"id":${JSON.stringify(id)}}\n`).join("");

describe("foldRecords", () => {
  test("orders records by the source index of their key", async () => {
    const outputs = outputsOf(ids("c", "a"), ids("d", "b"));
    expect(await fold(outputs, { ...byId, source: keys("a", "b", "c", "d") })).toBe(ids("a", "b", "c", "d"));
  });

  test("puts unknown keys last, by shard and position", async () => {
    const outputs = outputsOf(ids("y", "b"), ids("x", "a", "w"));
    const { report, chunks } = await foldRecords(outputs, { ...byId, source: keys("a", "b", "c") });
    expect(await foldedText(chunks)).toBe(ids("a", "b", "y", "x", "w"));
    expect(report).toEqual({
      recordCount: 5,
      conflictCount: 0,
      conflicts: [],
      missingCount: 1,
      unexpectedCount: 3,
      difference: "",
    });
  });

  test("keeps shard order without a key or without a source", async () => {
    const outputs = outputsOf(ids("b", "a"), ids("a2"));
    expect(await fold(outputs, byId)).toBe(ids("b", "a", "a2"));
    expect(await fold(outputs, { ...byId, key: [] })).toBe(ids("b", "a", "a2"));
  });

  test("accepts repeated keys when there is no key field", async () => {
    const { report, chunks } = await foldRecords(outputsOf(ids("a", "a"), "{}\n"), { ...byId, key: [] });
    expect(await foldedText(chunks)).toBe(`${ids("a", "a")}{}\n`);
    expect(report).toMatchObject({ recordCount: 3, conflictCount: 0 });
  });

  test("keeps the bytes of each record and ends it with one newline", async () => {
    const outputs = outputsOf('{"id": 2,  "x":"\\u00e9"}\r\n\n{ "id":1.0 }', "", "\n");
    const sorted = '{ "id":1.0 }\n{"id": 2,  "x":"\\u00e9"}\n';
    expect(await fold(outputs, { ...byId, source: keys(1, 2) })).toBe(sorted);
    expect(await fold(outputs, byId)).toBe('{"id": 2,  "x":"\\u00e9"}\n{ "id":1.0 }\n');
  });

  test("folds no shards and empty shards into nothing", async () => {
    const complete = { ...byId, complete: true };
    expect(await fold(outputsOf(), { ...complete, source: keys() })).toBe("");
    expect(await fold(outputsOf("", "\n"), { ...complete, source: keys() })).toBe("");
  });

  test("tells keys of different JSON types apart", async () => {
    const outputs = outputsOf(ids(1, "1", true, "true", [1], { a: 1 }));
    const source = keys({ a: 1 }, [1], "true", true, "1", 1);
    expect(await fold(outputs, { ...byId, complete: true, source })).toBe(ids({ a: 1 }, [1], "true", true, "1", 1));
  });

  test("names the keys that come twice and their shards", async () => {
    const outputs = outputsOf(ids("a", "b", "b"), ids("a", "c"), ids("a", 1));
    const error = await rejection(outputs, byId);
    expect(error).toMatchObject({ code: "DUPLICATE_KEY", message: "duplicate b (shards 0, 0), a (shards 0, 1, 2)" });
    expect(error.report).toMatchObject({ conflictCount: 2 });
  });

  test("lists five conflicts with five shards each, and counts all", async () => {
    const many = ids("a", "b", "c", "d", "e", "f", "g");
    const error = await rejection(outputsOf(many, many, many, many, many, many, many), byId);
    const shards = "(shards 0, 1, 2, 3, 4 and 2 more)";
    expect(error.message).toBe(`duplicate a ${shards}, b ${shards}, c ${shards}, d ${shards}, e ${shards} (+2 more)`);
    expect(error.report?.conflicts[0]).toEqual({ key: "a", recordCount: 7, shards: [0, 1, 2, 3, 4] });
  });

  test.each([
    ["first" as const, '{"id":"a","from":0}\n{"id":"b","from":0}\n'],
    ["last" as const, '{"id":"a","from":2}\n{"id":"b","from":1}\n'],
  ])("keeps the %s record of a key and reports the conflict", async (onDuplicate, expected) => {
    const outputs = outputsOf('{"id":"b","from":0}\n{"id":"a","from":0}', '{"id":"b","from":1}', '{"id":"a","from":2}');
    const { report, chunks } = await foldRecords(outputs, { ...byId, onDuplicate, source: keys("a", "b") });
    expect(await foldedText(chunks)).toBe(expected);
    expect(report).toEqual({
      recordCount: 2,
      conflictCount: 2,
      conflicts: [
        { key: "b", recordCount: 2, shards: [0, 1] },
        { key: "a", recordCount: 2, shards: [0, 2] },
      ],
      missingCount: 0,
      unexpectedCount: 0,
      difference: "",
    });
  });

  test("says exactly how the keys differ from the source", async () => {
    const complete = { ...byId, complete: true };
    const source = () => keys("a", "b", "c", "d", "e", "f", "g", "h");
    expect(await rejection(outputsOf(ids("h")), { ...complete, source: source() })).toMatchObject({
      code: "INCOMPLETE",
      message: "expected 8, got 1; missing a, b, c, d, e (+2 more)",
    });
    expect(await rejection(outputsOf(ids("a", "x", 7, "7")), { ...complete, source: keys("a") })).toMatchObject({
      code: "INCOMPLETE",
      message: 'expected 1, got 4; unexpected x, 7, "7"',
    });
    expect((await rejection(outputsOf(ids("a", "x")), { ...complete, source: keys("a", "b") })).message).toBe(
      "expected 2, got 2; missing b; unexpected x",
    );
    expect((await rejection(outputsOf(ids("x")), { ...complete, source: keys() })).message).toBe(
      "expected 0, got 1; unexpected x",
    );
  });

  test("reports duplicates and differences together", async () => {
    const error = await rejection(outputsOf(ids("a", "a")), { ...byId, complete: true, source: keys("a", "b") });
    expect(error.code).toBe("DUPLICATE_KEY");
    expect(error.message).toBe("duplicate a (shards 0, 0); expected 2, got 1; missing b");
  });

  test("ignores duplicates among complete keys when the first or last may stand", async () => {
    const rule: RecordsRule = { ...byId, onDuplicate: "last", complete: true, source: keys("a", "b") };
    expect(await fold(outputsOf(ids("b", "a", "b")), rule)).toBe(ids("a", "b"));
  });

  test("counts a key once that the source repeats", async () => {
    const rule: RecordsRule = { ...byId, complete: true, source: keys("a", "b", "a") };
    expect(await fold(outputsOf(ids("b", "a")), rule)).toBe(ids("a", "b"));
  });

  test("names shard and line of a record without its key", async () => {
    const outputs = outputsOf(ids("a"), `${ids("b")}\n{"other":1}\n`);
    expect(await rejection(outputs, byId)).toMatchObject({
      code: "MISSING_KEY",
      message: "shard 1, line 3: the record has no id, which the merge needs as its key",
    });
    expect(await rejection(outputsOf(ids(null)), byId)).toMatchObject({ code: "MISSING_KEY" });
    expect(await rejection(outputsOf("{}\n"), { ...byId, key: ["toString"] })).toMatchObject({ code: "MISSING_KEY" });
  });

  test("refuses numbers as keys that may have lost digits", async () => {
    expect(await rejection(outputsOf('{"id":9007199254740993}\n'), byId)).toMatchObject({ code: "INEXACT_KEY" });
    expect(await fold(outputsOf('{"id":9007199254740991}\n'), byId)).toBe('{"id":9007199254740991}\n');
  });

  test("names shard and line of a record that is none", async () => {
    expect(await rejection(outputsOf(ids("a"), `${ids("b")}oops\n`), byId)).toMatchObject({
      code: "INVALID_RECORD",
      message: "shard 1, line 2 is not valid JSON: oops",
    });
    expect(await rejection(outputsOf("[1]\n"), { ...byId, key: [] })).toMatchObject({ code: "INVALID_RECORD" });
  });

  test("skips source records without the key unless the merge must be complete", async () => {
    const outputs = outputsOf(ids("b", "a"));
    expect(await fold(outputs, { ...byId, source: keys("a", undefined, null, "b") })).toBe(ids("a", "b"));
    expect(await rejection(outputs, { ...byId, complete: true, source: keys("a", undefined) })).toMatchObject({
      code: "MISSING_KEY",
      message: "source record 2: the record has no id, which the merge needs as its key",
    });
  });

  test("refuses to be complete without a key or a source", async () => {
    expect(await rejection(outputsOf(), { ...byId, complete: true })).toMatchObject({ code: "NO_SOURCE" });
    const rule: RecordsRule = { ...byId, key: [], complete: true, source: keys("a") };
    expect(await rejection(outputsOf(), rule)).toMatchObject({ code: "NO_SOURCE" });
  });

  test("streams outputs that are in order and reads no ranges", async () => {
    const outputs = outputsOf(ids("a", "a", "b"), ids("c", "x"));
    expect(await fold(outputs, { ...byId, onDuplicate: "first", source: keys("a", "b", "c") })).toBe(
      ids("a", "b", "c", "x"),
    );
    expect(outputs.readCount).toBe(0);
  });

  test("reads records that lie together at once", async () => {
    const shards = [0, 1, 2].map((shard) => ids(...Array.from({ length: 500 }, (_, i) => 3 * i + shard)));
    const all = Array.from({ length: 1_500 }, (_, i) => i);
    const outputs = outputsOf(...shards);
    expect(await fold(outputs, { ...byId, complete: true, source: keys(...all) })).toBe(ids(...all));
    expect(outputs.readCount).toBe(3);
  });

  test("does not read far over records it does not want, nor much at a time", async () => {
    const filler = `{"id":"b","text":"${"x".repeat(100_000)}"}\n`;
    const sparse = outputsOf(`${ids("b")}${filler}${ids("a")}`);
    const rule: RecordsRule = { ...byId, onDuplicate: "first" };
    expect(await fold(sparse, { ...rule, source: keys("a", "b") })).toBe(ids("a", "b"));
    expect(sparse).toMatchObject({ readCount: 2, longestReadBytes: 10 });
    const all = Array.from({ length: 3_000 }, (_, i) => `${i} ${"x".repeat(1_000)}`);
    const dense = outputsOf(ids(...all.toReversed()));
    expect((await fold(dense, { ...rule, source: keys(...all) })) === ids(...all)).toBe(true);
    expect(dense.readCount).toBe(3);
    expect(dense.longestReadBytes).toBeLessThanOrEqual(1024 * 1024);
  });

  test("keeps track of thousands of keys the source does not have", async () => {
    const all = Array.from({ length: 3_000 }, (_, i) => `k${i}`);
    const { report, chunks } = await foldRecords(outputsOf(ids("k0", "k0"), ids(...all), ids("k0", ...all)), {
      ...byId,
      onDuplicate: "last",
    });
    expect(await foldedText(chunks)).toBe(ids(...all));
    expect(report).toMatchObject({ recordCount: 3_000, conflictCount: 3_000 });
    expect(report.conflicts[0]).toEqual({ key: "k0", recordCount: 5, shards: [0, 0, 1, 2, 2] });
  });

  test("folds records larger than a batch and than a window, far apart and in reverse", async () => {
    const sizes = [1, 100_000, 10, 3_000_000, 9_000_000, 40_000, 1, 1_100_000];
    const records = sizes.map((size, id) => `{"id":${id},"text":"${String(id).repeat(size)}"}\n`);
    const reversed = records.toReversed();
    const outputs = outputsOf(reversed.slice(0, 3).join(""), reversed.slice(3).join(""));
    expect((await fold(outputs, { ...byId, source: keys(...sizes.keys()) })) === records.join("")).toBe(true);
    expect((await fold(outputs, byId)) === reversed.join("")).toBe(true);
  });

  test("fails when an output changes while it is folded", async () => {
    const before = outputsOf(ids("b", "a"));
    const rule: RecordsRule = { ...byId, source: keys("a", "b") };
    const cut: ShardOutputs = {
      shards: [0],
      stream: (shard) => before.stream(shard),
      read: async () => new Uint8Array(3),
    };
    await expect(fold(cut, rule)).rejects.toMatchObject({ code: "OUTPUT_CHANGED" });
    let turn = 0;
    const grown: ShardOutputs = {
      shards: [0],
      stream: () => outputsOf(ids("b", "a"), ids("b", "a", "c")).stream(turn++),
      read: async () => new Uint8Array(0),
    };
    await expect(fold(grown, byId)).rejects.toMatchObject({ code: "OUTPUT_CHANGED" });
  });

  test("names the first five records without their key and their count, over all shards", async () => {
    const outputs = outputsOf("{}\n{}\n", `${ids("a")}oops\n{}\n`, "{}\n{}\n{}\n");
    const error = await rejection(outputs, byId);
    const problem = "the record has no id, which the merge needs as its key";
    expect(error.code).toBe("MISSING_KEY");
    expect(error.message).toBe(
      `6 faults: shard 0, line 1: ${problem}; shard 0, line 2: ${problem}; shard 1, line 2 is not valid JSON: oops; ` +
        `shard 2, line 1: ${problem}; shard 2, line 2: ${problem} (+1 more)`,
    );
  });

  test("goes on without the shards that are left out, under the indexes of the others", async () => {
    const outputs = someOutputsOf(null, ids("b"), null, ids("a", "x"));
    expect(await fold(outputs, { ...byId, source: keys("a", "b") })).toBe(ids("a", "b", "x"));
    expect(await fold(outputs, byId)).toBe(ids("b", "a", "x"));
    expect((await rejection(someOutputsOf(null, ids("b"), ids("b")), byId)).message).toBe("duplicate b (shards 1, 2)");
  });

  test("only reports missing keys when shards are left out", async () => {
    const rule: RecordsRule = { ...byId, complete: true, toleratesMissing: true };
    const { report, chunks } = await foldRecords(someOutputsOf(null, ids("b")), { ...rule, source: keys("a", "b") });
    expect(await foldedText(chunks)).toBe(ids("b"));
    expect(report).toMatchObject({ missingCount: 1, difference: "expected 2, got 1; missing a" });
    const error = await rejection(someOutputsOf(null, ids("b", "x")), { ...rule, source: keys("a", "b") });
    expect(error.message).toBe("expected 2, got 2; missing a; unexpected x");
  });
});

const pairs = (...values: (readonly [unknown, unknown])[]) =>
  values.map(([term, translation]) => `${JSON.stringify({ term, translation })}\n`).join("");
async function* sourceOf(...records: JsonValue[]): AsyncGenerator<JsonValue> {
  yield* records;
}
const partialSource = () => sourceOf({ other: 1 }, "text", { term: "b" }, { term: "a", translation: "a" });
const knownTuples = () => sourceOf({ term: "x", translation: "y" }, { term: "two words", translation: 7 });

const line = (id: string, language: unknown) => `${JSON.stringify({ id, language })}\n`;

describe("foldRecords by several fields", () => {
  const byPair: RecordsRule = { key: ["term", "translation"], onDuplicate: "error", complete: false };

  test("takes records for the same only if all fields are equal", async () => {
    const outputs = outputsOf(pairs(["a", "b"], ["a", "c"]), pairs(["b", "a"], ["a,b", ""], ["a", 1], ["a", "1"]));
    const { report } = await foldRecords(outputs, byPair);
    expect(report).toMatchObject({ recordCount: 6, conflictCount: 0 });
  });

  test("follows the order of the source's tuples", async () => {
    const outputs = outputsOf(pairs(["b", 2], ["a", 1]), pairs(["b", 1]));
    const known = sourceOf(
      { term: "a", translation: 1, more: 0 },
      { term: "b", translation: 1 },
      { term: "b", translation: 2 },
    );
    expect(await fold(outputs, { ...byPair, complete: true, source: known })).toBe(pairs(["a", 1], ["b", 1], ["b", 2]));
  });

  test("keeps the first of each tuple where it may", async () => {
    const outputs = outputsOf(pairs(["x", "y"], ["x", "z"]), pairs(["x", "y"], ["w", "y"]));
    const { report, chunks } = await foldRecords(outputs, { ...byPair, onDuplicate: "first" });
    expect(await foldedText(chunks)).toBe(pairs(["x", "y"], ["x", "z"], ["w", "y"]));
    expect(report.conflicts).toEqual([{ key: "(term=x, translation=y)", recordCount: 2, shards: [0, 1] }]);
  });

  test("prints a tuple with the names of its fields", async () => {
    const twice = await rejection(outputsOf(pairs(["x", "y"]), pairs(["x", "y"])), byPair);
    expect(twice.message).toBe("duplicate (term=x, translation=y) (shards 0, 1)");
    const differs = await rejection(outputsOf(pairs(["x", "z"])), { ...byPair, complete: true, source: knownTuples() });
    expect(differs.message).toBe(
      'expected 2, got 1; missing (term=x, translation=y), (term="two words", translation=7); ' +
        "unexpected (term=x, translation=z)",
    );
  });

  test("names the fields a record lacks", async () => {
    expect(await rejection(outputsOf('{"term":"x","translation":null}\n'), byPair)).toMatchObject({
      code: "MISSING_KEY",
      message: "shard 0, line 1: the record has no translation, which the merge needs as its key",
    });
    expect((await rejection(outputsOf("{}\n"), byPair)).message).toContain("has no term and no translation, which");
    expect(await rejection(outputsOf('{"term":1e300,"translation":1}\n'), byPair)).toMatchObject({
      code: "INEXACT_KEY",
      message: "shard 0, line 1: term is too large a number for a key; write it as a string",
    });
  });

  test("skips source records without the tuple unless the merge must be complete", async () => {
    const outputs = outputsOf(pairs(["b", "b"], ["a", "a"]));
    expect(await fold(outputs, { ...byPair, source: partialSource() })).toBe(pairs(["a", "a"], ["b", "b"]));
    expect(await rejection(outputs, { ...byPair, complete: true, source: partialSource() })).toMatchObject({
      code: "MISSING_KEY",
      message: expect.stringMatching(
        /^3 faults: source record 1: the record has no term and no translation, .*source record 3: the record has no translation,/,
      ),
    });
  });
});

describe("foldRecords of a matrix instance", () => {
  const rule: RecordsRule = { ...byId, dimensions: { language: "french", tier: "2" } };

  test("takes records that name their own coordinates, or none", async () => {
    const text = `${line("a", "french")}{"id":"b","tier":2}\n{"id":"c","language":null}\n`;
    expect(await fold(outputsOf(text), rule)).toBe(text);
    expect(await fold(outputsOf(text), { ...rule, key: [] })).toBe(text);
  });

  test("refuses records of another instance, with or without a key", async () => {
    const outputs = outputsOf(line("a", "french"), line("b", "french") + line("c", "japanese"));
    const expected = { code: "WRONG_DIMENSION", message: "shard 1, line 2: language is japanese, expected french" };
    expect(await rejection(outputs, rule)).toMatchObject(expected);
    expect(await rejection(outputs, { ...rule, key: [] })).toMatchObject(expected);
  });

  test("names the first five of them and the count", async () => {
    const outputs = outputsOf(line("a", "ja").repeat(4), line("b", "ko").repeat(3));
    const listed = [
      ...[1, 2, 3, 4].map((at) => `shard 0, line ${at}: language is ja, expected french`),
      "shard 1, line 1: language is ko, expected french",
    ];
    expect((await rejection(outputs, rule)).message).toBe(`7 faults: ${listed.join("; ")} (+2 more)`);
  });
});
