import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonlError } from "../../src/jsonl/jsonl-error.ts";
import { readRecords } from "../../src/jsonl/read-records.ts";
import { byteChunks, chunkSizes, collect, textChunks, textOf } from "./byte-chunks.ts";

async function errorOf(chunks: AsyncIterable<Uint8Array>): Promise<JsonlError> {
  const failure: unknown = await collect(readRecords(chunks)).catch((error: unknown) => error);
  if (failure instanceof JsonlError) return failure;
  throw new Error(`expected a JsonlError, got ${String(failure)}`);
}

describe("readRecords", () => {
  test("gives each record with its bytes, place and value", async () => {
    const records = await collect(readRecords(textChunks('{"a": 1}\r\n\n{"b":"é"}\n')));
    expect(records.map((record) => ({ ...record, bytes: textOf(record.bytes) }))).toEqual([
      { bytes: '{"a": 1}', start: 0, end: 10, line: 1, value: { a: 1 } },
      { bytes: '{"b":"é"}', start: 11, end: 22, line: 3, value: { b: "é" } },
    ]);
  });

  test("reads back any records, wherever the chunks begin", async () => {
    const values = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(values, chunkSizes, async (objects, sizes) => {
        const text = objects.map((value) => `${JSON.stringify(value)}\n`).join("");
        const records = await collect(readRecords(textChunks(text, sizes)));
        expect(records.map(({ value }) => JSON.stringify(value))).toEqual(
          objects.map((value) => JSON.stringify(value)),
        );
      }),
    );
  });

  test("names the line that is not JSON and quotes its first 80 characters", async () => {
    const error = await errorOf(textChunks(`{"a":1}\n\n${"x".repeat(100)}\n`));
    expect(error).toMatchObject({ code: "INVALID_JSON", line: 3 });
    expect(error.message).toBe(`line 3 is not valid JSON: ${"x".repeat(80)}…`);
  });

  test("quotes bad text on one printable line", async () => {
    const error = await errorOf(textChunks('{"a":\u001b[31m\t}'));
    expect(error.message).toBe('line 1 is not valid JSON: {"a":\u{fffd}[31m\u{fffd}}');
  });

  test.each(["[1]", "null", "7", '"text"', "true"])(
    "refuses %s as a record unless any value may come",
    async (text) => {
      expect(await errorOf(textChunks(text))).toMatchObject({
        code: "NOT_AN_OBJECT",
        line: 1,
        message: `line 1 is not a JSON object: ${text}`,
      });
      const records = await collect(readRecords(textChunks(text), { anyValue: true }));
      expect(records.map(({ value }) => value)).toEqual([JSON.parse(text)]);
    },
  );

  test("names the line that is not UTF-8", async () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode('{"a":1}\n{"b":"'), 0xff, 0xfe, 0x22, 0x7d]);
    expect(await errorOf(byteChunks(bytes))).toMatchObject({ code: "INVALID_UTF8", line: 2 });
  });

  test("names the line that is too long", async () => {
    const reading = collect(readRecords(textChunks('{}\n{"a":12345}\n'), { maxLineBytes: 8 }));
    await expect(reading).rejects.toMatchObject({ code: "TOO_LONG", line: 2 });
  });

  test("yields the records before a bad line", async () => {
    const seen: unknown[] = [];
    const reading = async () => {
      for await (const { value } of readRecords(textChunks('{"a":1}\n{"a":2}\noops\n', [1_000]))) seen.push(value);
    };
    await expect(reading()).rejects.toThrow("line 3");
    expect(seen).toEqual([{ a: 1 }, { a: 2 }]);
  });
});
