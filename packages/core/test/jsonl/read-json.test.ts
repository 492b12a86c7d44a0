import { describe, expect, test } from "vitest";
import { readJson } from "../../src/jsonl/read-json.ts";
import { byteChunks, textChunks } from "./byte-chunks.ts";

describe("readJson", () => {
  test("reads one value over any number of lines", async () => {
    expect(await readJson(textChunks('\n{\n  "a": [1, "é"]\n}\n', [1]))).toEqual({ a: [1, "é"] });
    expect(await readJson(textChunks("\u{feff}7", [1]))).toBe(7);
  });

  test("names the line where the text stops being JSON", async () => {
    await expect(readJson(textChunks('starting\n{"a":1}\n'))).rejects.toMatchObject({
      code: "INVALID_JSON",
      line: 1,
      message: "line 1: the JSON value is not valid: starting",
    });
    await expect(readJson(textChunks('{"a":1}\n{"a":2}\n'))).rejects.toMatchObject({
      line: 2,
      message: 'line 2: the JSON value is not valid: {"a":2}',
    });
  });

  test("names the last line of a text that ends too early", async () => {
    await expect(readJson(textChunks("[1,\n2\n\n"))).rejects.toMatchObject({
      line: 2,
      message: "line 2: the JSON value ends before it is complete: 2",
    });
    await expect(readJson(textChunks(""))).rejects.toMatchObject({ code: "INVALID_JSON", line: 1 });
  });

  test("names the line that is not UTF-8", async () => {
    const bytes = Uint8Array.from([0x5b, 0x0a, 0x22, 0xc3, 0x0a, 0x22, 0x5d]);
    await expect(readJson(byteChunks(bytes))).rejects.toMatchObject({ code: "INVALID_UTF8", line: 2 });
  });

  test("refuses a value larger than the limit", async () => {
    expect(await readJson(textChunks("[1,2]"), 5)).toEqual([1, 2]);
    await expect(readJson(textChunks("[1,2] "), 5)).rejects.toMatchObject({ code: "TOO_LONG" });
  });
});
