import { describe, expect, test } from "vitest";
import { checkOutput } from "../../src/merge/check-output.ts";
import { textChunks } from "../jsonl/byte-chunks.ts";

describe("checkOutput", () => {
  test("counts the records of JSONL", async () => {
    expect(await checkOutput("jsonl", textChunks('{"a":1}\n\n{"a":2}'))).toBe(2);
    expect(await checkOutput("jsonl", textChunks(""))).toBe(0);
  });

  test("names the line of JSONL that is no record", async () => {
    await expect(checkOutput("jsonl", textChunks('{"a":1}\n[1]\n'))).rejects.toMatchObject({
      code: "INVALID_RECORD",
      message: "line 2 is not a JSON object: [1]",
    });
    await expect(checkOutput("jsonl", textChunks("\noops\n"))).rejects.toThrow("line 2 is not valid JSON: oops");
  });

  test("names the line of a record without the key of the merge", async () => {
    const output = '{"id":1}\n{"id":null}\n';
    expect(await checkOutput("jsonl", textChunks(output), { key: null })).toBe(2);
    await expect(checkOutput("jsonl", textChunks(output), { key: "id" })).rejects.toMatchObject({
      code: "MISSING_KEY",
      message: "line 2: the record has no id, which the merge needs as its key",
    });
  });

  test("demands one whole JSON value", async () => {
    expect(await checkOutput("json", textChunks('{\n"a": 1}\n'))).toBe(1);
    await expect(checkOutput("json", textChunks('{"a":1}\n{"a":2}\n'))).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message: 'line 2: the JSON value is not valid: {"a":2}',
    });
  });
});
