import { describe, expect, test } from "vitest";
import { excerpt, listNames, showValue } from "../../src/jsonl/show-value.ts";

describe("showValue", () => {
  test("shows a string bare only where it cannot be taken for another value", () => {
    expect(["line_7", "3f2a-11", "Zürich"].map(showValue)).toEqual(["line_7", "3f2a-11", "Zürich"]);
    expect(["7", "true", "two words", "a,b", "", 'a"b'].map(showValue)).toEqual([
      '"7"',
      '"true"',
      '"two words"',
      '"a,b"',
      '""',
      '"a\\"b"',
    ]);
    expect([7, null, ["a", 1]].map(showValue)).toEqual(["7", "null", '["a",1]']);
  });
});

describe("listNames", () => {
  test("lists five names and counts the rest", () => {
    expect(listNames(["a", "b"], 2)).toBe("a, b");
    expect(listNames(["a", "b", "c", "d", "e"], 5)).toBe("a, b, c, d, e");
    expect(listNames(["a", "b", "c", "d", "e", "f", "g"], 7)).toBe("a, b, c, d, e (+2 more)");
  });
});

describe("excerpt", () => {
  test("cuts by characters, not through them", () => {
    expect(excerpt("😀".repeat(80))).toBe("😀".repeat(80));
    expect(excerpt("😀".repeat(81))).toBe(`${"😀".repeat(80)}…`);
    expect(excerpt("a\nb")).toBe("a\u{fffd}b");
  });
});
