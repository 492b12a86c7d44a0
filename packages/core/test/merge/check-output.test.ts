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
    expect(await checkOutput("jsonl", textChunks(output), { key: [] })).toBe(2);
    await expect(checkOutput("jsonl", textChunks(output), { key: ["id"] })).rejects.toMatchObject({
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

  test("names the fields of a key that a record lacks", async () => {
    const demands = { key: ["term", "translation"] };
    expect(await checkOutput("jsonl", textChunks('{"term":1,"translation":2}'), demands)).toBe(1);
    await expect(checkOutput("jsonl", textChunks('{"term":1}\n{"x":2}\n'), demands)).rejects.toMatchObject({
      code: "MISSING_KEY",
      message:
        "2 faults: line 1: the record has no translation, which the merge needs as its key; " +
        "line 2: the record has no term and no translation, which the merge needs as its key",
    });
  });

  test("names records that belong to another instance of a matrix", async () => {
    const demands = { dimensions: { language: "french", tier: "2" } };
    const own = '{"language":"french","tier":2}\n{"tier":"2"}\n{"language":null}\n';
    expect(await checkOutput("jsonl", textChunks(own), demands)).toBe(3);
    await expect(checkOutput("jsonl", textChunks(`${own}{"language":"japanese"}\n`), demands)).rejects.toMatchObject({
      code: "WRONG_DIMENSION",
      message: "line 4: language is japanese, expected french",
    });
    await expect(checkOutput("jsonl", textChunks('{"language":["french"]}'), demands)).rejects.toThrow(
      'line 1: language is ["french"], expected french',
    );
  });

  test("counts all faults and lists the first five, the line that is no JSON included", async () => {
    const output = `${'{"language":"ja"}\n'.repeat(3)}{}\n${'{"language":"ja"}\n'.repeat(4)}oops\n{"language":"ja"}\n`;
    const listed = [1, 2, 3, 5, 6].map((line) => `line ${line}: language is ja, expected fr`).join("; ");
    await expect(checkOutput("jsonl", textChunks(output), { dimensions: { language: "fr" } })).rejects.toMatchObject({
      code: "WRONG_DIMENSION",
      message: `8 faults: ${listed} (+3 more)`,
    });
  });

  test("demands one object where objects are folded", async () => {
    expect(await checkOutput("object", textChunks('{"a": 1}\n'))).toBe(1);
    await expect(checkOutput("object", textChunks("[1]\n"))).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message: "line 1: the JSON value is not an object: [1]",
    });
    await expect(checkOutput("object", textChunks(""))).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });
});
