import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { objectMembers } from "../../src/jsonl/object-members.ts";

function membersOf(text: string): [string, string][] {
  const bytes = new TextEncoder().encode(text);
  return Array.from(objectMembers(bytes), ({ key, start, end }) => [
    key,
    new TextDecoder().decode(bytes.subarray(start, end)),
  ]);
}

/** A JSON text like `{"a": 1 , …}` of these members, with blanks wherever JSON allows them. */
function spell(members: readonly (readonly [string, string])[], blank: string): string {
  const spelled = members.map(([key, value]) => `${blank}${JSON.stringify(key)}${blank}:${blank}${value}${blank}`);
  return `${blank}{${members.length === 0 ? blank : spelled.join(",")}}${blank}`;
}

describe("objectMembers", () => {
  test("gives members as they stand, those with the same key too", () => {
    expect(membersOf('\u{feff}{"b":1,"10":[{"x":"]"}],"a":"\\\\","b":{}}')).toEqual([
      ["b", "1"],
      ["10", '[{"x":"]"}]'],
      ["a", '"\\\\"'],
      ["b", "{}"],
    ]);
    expect(membersOf("{ }")).toEqual([]);
  });

  test("finds the members of any object", () => {
    const key = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "", '"', "\\", "1"));
    const value = fc.jsonValue().map((json) => JSON.stringify(json, null, 1));
    const members = fc.array(fc.tuple(key, value), { maxLength: 6 });
    fc.assert(
      fc.property(members, fc.constantFrom("", " ", "\r\n\t"), (list, blank) => {
        expect(membersOf(spell(list, blank))).toEqual(list);
      }),
    );
  });
});
