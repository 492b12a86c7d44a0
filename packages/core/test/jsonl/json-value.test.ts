import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, findField, isJsonObject, type JsonValue, parseJson } from "../../src/jsonl/json-value.ts";

const jsonValues = fc.jsonValue().map((value) => parseJson(JSON.stringify(value)));

describe("canonicalJson", () => {
  test("tells values of different types apart", () => {
    const values: JsonValue[] = [1, "1", true, "true", null, "null", [], {}, "", [1], ["1"], { a: 1 }, { a: "1" }];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });

  test("is the same for spellings of one value", () => {
    expect(canonicalJson(parseJson('{"b": [1.0, 2], "a": {"d": 1, "c": 0}}'))).toBe('{"a":{"c":0,"d":1},"b":[1,2]}');
    expect(canonicalJson({ a: 1, b: 2 })).toBe(canonicalJson({ b: 2, a: 1 }));
    expect(canonicalJson(parseJson("-0"))).toBe(canonicalJson(0));
  });

  test("is JSON of the value it stands for", () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(canonicalJson(parseJson(canonicalJson(value)))).toBe(canonicalJson(value));
        expect(parseJson(canonicalJson(value))).toEqual(parseJson(JSON.stringify(value)));
      }),
    );
  });
});

describe("findField", () => {
  test("finds what the record itself carries, and nothing else", () => {
    const record = parseJson('{"a": 1, "n": null, "__proto__": "own"}');
    expect(findField(record, "a")).toBe(1);
    expect(findField(record, "n")).toBe(null);
    expect(findField(record, "__proto__")).toBe("own");
    expect(findField(record, "constructor")).toBe(undefined);
    expect(findField({}, "__proto__")).toBe(undefined);
    expect(findField("text", "length")).toBe(undefined);
    expect(findField([1], "0")).toBe(undefined);
    expect(findField(null, "a")).toBe(undefined);
  });
});

describe("isJsonObject", () => {
  test("takes neither arrays nor null for objects", () => {
    expect([{}, [], null, 1, "a", false].map(isJsonObject)).toEqual([true, false, false, false, false, false]);
  });
});
