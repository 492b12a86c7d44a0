import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { itemText, type ItemReading, readItems, replaceItem } from "../../src/shards/read-items.ts";

describe("items", () => {
  test.each<[ItemReading, string, unknown[]]>([
    ["json_array", '[1, "b", {"c": [2]}, null]', [1, "b", { c: [2] }, null]],
    ["json_array", '{"one": 1}', [{ one: 1 }]],
    ["json_array", "[1, 2", ["[1, 2"]],
    ["json_array", "  \n", []],
    ["json_array", "[]", []],
    ["line_delimited", "a\r\n\n  b c \n", ["a", "b c"]],
    ["line_delimited", '{"n":1}\n[2]\n"three"\n1.10\n{broken', [{ n: 1 }, [2], "three", "1.10", "{broken"]],
    ["comma_separated", " a , b,,c\nd,\n", ["a", "b", "c", "d"]],
    ["comma_separated", '"a,b"', ['"a', 'b"']],
    ["auto", "", []],
    ["auto", "\uFEFF[1,2]", [1, 2]],
    ["auto", '{\n "a": 1\n}', [{ a: 1 }]],
    ["auto", '{"n":1}\n{"n":2}\n', [{ n: 1 }, { n: 2 }]],
    ["auto", "[1,\n2,\n]", ["[1,\n2,\n]"]],
    ["auto", '{"n":1}\nrest', ['{"n":1}\nrest']],
    ["auto", "a, b\nc", ["a, b", "c"]],
    ["auto", "a, b,", ["a", "b"]],
    ["auto", '"a, b"', ["a, b"]],
    ["auto", "42", ["42"]],
  ])("are read as %s: %j", (reading, text, expected) => {
    expect(readItems(text, reading)).toEqual(expected);
  });

  test("of a JSON list come back in any layout", () => {
    const options = fc.constantFrom("auto" as const, "json_array" as const);
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), options, fc.constantFrom(0, 2), (items, reading, indent) => {
        const values: unknown = JSON.parse(JSON.stringify(items));
        expect(readItems(`\n${JSON.stringify(items, null, indent)}\n`, reading)).toEqual(values);
      }),
    );
  });

  test("are put in once, as text", () => {
    const item = { text: "{{index}} $& {{item}}", index: 3 };
    expect(replaceItem("<{{item}}> {{ index }} {{items}} {{Item}}", item)).toBe(
      "<{{index}} $& {{item}}> 3 {{items}} {{Item}}",
    );
    expect([itemText("a b"), itemText({ a: [1, null] }), itemText(1)]).toEqual(["a b", '{"a":[1,null]}', "1"]);
  });
});
