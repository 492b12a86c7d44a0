import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findJsonError } from "../../src/jsonl/find-json-error.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("findJsonError", () => {
  test.each([
    ["", 0],
    ["  ", 2],
    ["{", 1],
    ['{"a"', 4],
    ['{"a":1', 6],
    ["oops", 0],
    ['{"a":1} {"b":2}', 8],
    ["[1,]", 3],
    ['{"a":1,}', 7],
    ["[1 2]", 3],
    ["{a:1}", 1],
    ["[01]", 2],
    ['["a\nb"]', 1],
    ['["\\x"]', 1],
    ["[1}", 2],
    ["]", 0],
    [",", 0],
  ])("finds where %j stops being JSON", (text, offset) => {
    expect(findJsonError(text)).toBe(offset);
  });

  test("agrees with JSON.parse on every text", () => {
    const tokens = ["{", "}", "[", "]", ",", ":", '"', "\\", "a", "\\u00e9", "1", "-", ".5", "e3", "0", "true", "null"];
    const texts = fc.array(fc.constantFrom(...tokens, " ", "\n", '"k"', "\t", "\u007f", "é"), { maxLength: 10 });
    fc.assert(
      fc.property(
        fc.oneof(
          texts.map((parts) => parts.join("")),
          fc.jsonValue().map((value) => JSON.stringify(value, null, 1)),
          fc
            .tuple(fc.jsonValue(), fc.nat(30), fc.constantFrom(...tokens))
            .map(([value, at, token]) => JSON.stringify(value).slice(0, at) + token + JSON.stringify(value).slice(at)),
        ),
        (text) => {
          expect(findJsonError(text) === undefined).toBe(isJson(text));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("takes long strings", () => {
    const long = `["${"a\\n".repeat(300_000)}${"b".repeat(1_000_000)}"`;
    expect(findJsonError(`${long}]`)).toBe(undefined);
    expect(findJsonError(`${long}}`)).toBe(long.length);
  });
});
