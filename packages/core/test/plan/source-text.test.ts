import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SourceText } from "../../src/plan/source-text.ts";

describe("positions", () => {
  test("count lines and columns from one", () => {
    const source = new SourceText("ab\n\ncd");
    expect([0, 2, 3, 4, 5, 6, 99, -1].map((offset) => source.position(offset))).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 3, column: 2 },
      { line: 3, column: 3 },
      { line: 3, column: 3 },
      { line: 1, column: 1 },
    ]);
  });

  test("agree with splitting the text into lines", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "é", "\t") }), fc.nat({ max: 20 }), (text, offset) => {
        const before = text.slice(0, offset).split("\n");
        const expected = { line: before.length, column: (before.at(-1) ?? "").length + 1 };
        expect(new SourceText(text).position(offset)).toEqual(expected);
      }),
    );
  });
});

describe("frames", () => {
  test("mark a line between its neighbours", () => {
    const source = new SourceText("one\ntwo\nthree\nfour\n");
    expect(source.frame({ line: 2, column: 3 })).toBe("  1 | one\n> 2 | two\n    |   ^\n  3 | three");
    expect(source.frame({ line: 1, column: 1 })).toBe("> 1 | one\n    | ^\n  2 | two");
    expect(source.frame({ line: 4, column: 1 })).toBe("  3 | three\n> 4 | four\n    | ^");
  });

  test("align numbers of different width, and the mark below tabs", () => {
    const source = new SourceText(`${"x\n".repeat(8)}nine\n\tten\n`);
    expect(source.frame({ line: 10, column: 3 })).toBe("   9 | nine\n> 10 | \tten\n     | \t ^");
  });

  test("stay narrow on a line of any length", () => {
    const source = new SourceText(`${"a".repeat(5_000)}X${"b".repeat(5_000)}`);
    const [line = "", mark = ""] = source.frame({ line: 1, column: 5_001 }).split("\n");
    expect(line.length).toBeLessThan(140);
    expect(line.charAt(mark.indexOf("^"))).toBe("X");
  });

  test("show no control characters", () => {
    expect(new SourceText("a\u001B[31mb\r\nc").frame({ line: 1, column: 1 })).toBe(
      "> 1 | a\uFFFD[31mb\n    | ^\n  2 | c",
    );
  });
});
