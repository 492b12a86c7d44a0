import { describe, expect, test } from "vitest";
import { foldObject } from "../../src/merge/fold-object.ts";
import type { ShardOutputs } from "../../src/merge/shard-outputs.ts";
import { foldedText, outputsOf, someOutputsOf } from "./memory-outputs.ts";

const longText = (character: string): string => `"${character.repeat(3_000_000)}"`;
const strict = { onDuplicate: "error" as const };

async function fold(outputs: ShardOutputs, onDuplicate: "error" | "first" | "last" = "error"): Promise<string> {
  return foldedText((await foldObject(outputs, { onDuplicate })).chunks);
}

describe("foldObject", () => {
  test("joins the objects in shard order, on one line", async () => {
    const outputs = outputsOf('{"b": {"y": 1,\n "x": [1, 2]}}\n', "{}", '\u{feff}\n{ "a" : "}\\"{" , "c":1.0}');
    expect(await fold(outputs)).toBe('{"b":{"y":1,"x":[1,2]},"a":"}\\"{","c":1}\n');
  });

  test("makes an empty object of nothing", async () => {
    expect(await fold(outputsOf())).toBe("{}\n");
    expect(await fold(outputsOf("{}", " { } "))).toBe("{}\n");
  });

  test("keeps keys that look like numbers, and keys of every object, in their place", async () => {
    const outputs = outputsOf('{"b":1,"10":2,"__proto__":{"x":1}}', '{"2":3,"constructor":4,"":5}');
    expect(await fold(outputs)).toBe('{"b":1,"10":2,"__proto__":{"x":1},"2":3,"constructor":4,"":5}\n');
  });

  test("takes differently written keys for the same", async () => {
    const outputs = outputsOf('{"\\u0061":1}', '{"a":2}');
    expect(await fold(outputs, "last")).toBe('{"a":2}\n');
  });

  test.each([
    ["first" as const, '{"a":0,"b":1,"c":3}\n'],
    ["last" as const, '{"a":4,"b":2,"c":3}\n'],
  ])(
    "keeps the %s value of a key where the key first stood, and reports the conflict",
    async (onDuplicate, expected) => {
      const outputs = outputsOf('{"a":0,"b":1,"b":2}', '{"c":3}', '{"a":4}');
      const { report, chunks } = await foldObject(outputs, { onDuplicate });
      expect(await foldedText(chunks)).toBe(expected);
      expect(report).toMatchObject({
        recordCount: 3,
        conflictCount: 2,
        conflicts: [
          { key: "b", recordCount: 2, shards: [0, 0] },
          { key: "a", recordCount: 2, shards: [0, 2] },
        ],
      });
    },
  );

  test("refuses keys that come twice, naming the first five and how many more there are", async () => {
    const many = JSON.stringify(Object.fromEntries("abcdefg".split("").map((key) => [key, 1])));
    await expect(foldObject(outputsOf(many, many), strict)).rejects.toMatchObject({
      code: "DUPLICATE_KEY",
      message:
        "duplicate a (shards 0, 1), b (shards 0, 1), c (shards 0, 1), d (shards 0, 1), e (shards 0, 1) (+2 more)",
    });
    await expect(foldObject(outputsOf('{"a":1,"a":1}'), strict)).rejects.toThrow("duplicate a (shards 0, 0)");
  });

  test("names every shard whose output is no object", async () => {
    const outputs = outputsOf('{"a":1}', "[1]", '{\n"b": oops}', "");
    await expect(foldObject(outputs, strict)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message:
        "3 faults: shard 1, line 1: the JSON value is not an object: [1]; " +
        'shard 2, line 2: the JSON value is not valid: "b": oops}; ' +
        "shard 3, line 1: the JSON value ends before it is complete: ",
    });
  });

  test("goes on without the shards that are left out", async () => {
    expect(await fold(someOutputsOf(null, '{"a":1}', null, '{"b":2}'))).toBe('{"a":1,"b":2}\n');
    await expect(foldObject(someOutputsOf(null, '{"a":1}', '{"a":2}'), strict)).rejects.toThrow("(shards 1, 2)");
  });

  test("reads values again range by range, and never far more than a window at a time", async () => {
    const outputs = outputsOf(
      `{"a":${longText("0")},"b":${longText("1")},"c":${longText("2")},"d":1}`,
      `{"d":2,"c":3,"b":${longText("4")}}`,
    );
    const folded = await fold(outputs, "last");
    expect(folded === `{"a":${longText("0")},"b":${longText("4")},"c":3,"d":2}\n`).toBe(true);
    expect(outputs.longestReadBytes).toBeLessThan(4_000_000);
  });
});
