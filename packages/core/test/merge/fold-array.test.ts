import { describe, expect, test } from "vitest";
import { foldArray } from "../../src/merge/fold-array.ts";
import { foldedText, MemoryOutputs, outputsOf, someOutputsOf } from "./memory-outputs.ts";

describe("foldArray", () => {
  test("lists the values of the shards in shard order, one a line", async () => {
    const outputs = outputsOf('{ "a" : [1,\n 2] }\n', "null", '"é"');
    expect(await foldedText(foldArray(outputs))).toBe('[\n{"a":[1,2]},\nnull,\n"é"\n]\n');
  });

  test("makes an empty array of no shards", async () => {
    expect(await foldedText(foldArray(outputsOf()))).toBe("[]\n");
  });

  test("has no element for a shard that is left out", async () => {
    expect(await foldedText(foldArray(someOutputsOf(null, "1", null, "2")))).toBe("[\n1,\n2\n]\n");
    expect(await foldedText(foldArray(someOutputsOf(null)))).toBe("[]\n");
  });

  test("names shard and line of a bad value before it yields anything", async () => {
    const chunks = foldArray(outputsOf("1", '{\n"a": oops}'));
    await expect(chunks.next()).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message: 'shard 1, line 2: the JSON value is not valid: "a": oops}',
    });
    await expect(foldArray(outputsOf("")).next()).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });

  test("names the first five bad values and their count", async () => {
    const outputs = outputsOf("1", ...Array.from({ length: 7 }, (_, i) => `x${i}`));
    await expect(foldArray(outputs).next()).rejects.toThrow(
      /^7 faults: shard 1, line 1: the JSON value is not valid: x0; .*shard 5, .* x4 \(\+2 more\)$/,
    );
  });

  test("passes on errors that are not about the value", async () => {
    const unfinished = new MemoryOutputs(2);
    unfinished.complete(0, "1");
    await expect(foldArray(unfinished).next()).rejects.toThrow("shard 1 has no output");
  });
});
