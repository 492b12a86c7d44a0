import { expect, test } from "vitest";
import { cutToWidth, displayWidth, fitToWidth, plainLogLine, plainText, wrapText } from "../../src/view/plain-text.ts";
import { HOSTILE } from "./run-fixture.ts";

test("makes one harmless line of any text", () => {
  expect(plainText(HOSTILE)).toBe("redreversed next line end");
  expect(plainText("größe 漢字 👩‍👩‍👧")).toBe("größe 漢字 👩‍👩‍👧");
});

test("looks at a bounded part of endless text", () => {
  expect(plainText("é".repeat(1_000_000)).length).toBe(10_000);
});

test("shows of a log line what a terminal would show in the end", () => {
  expect(plainLogLine("10%\r50%\r100%\r")).toBe("100%");
  expect(plainLogLine("\u001b[1mbold\u001b[0m  ")).toBe("bold");
  expect(plainLogLine("\r\r")).toBe("");
});

test.each([
  ["plain", 5],
  ["größe", 5],
  ["漢字", 4],
  ["한국어", 6],
  ["e\u0301", 1],
  ["👩‍👩‍👧", 2],
  ["🇪🇸", 2],
  ["", 0],
])("measures %s as %d columns", (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

test("cuts to columns, never through a character", () => {
  expect(cutToWidth("abcdef", 6)).toBe("abcdef");
  expect(cutToWidth("abcdef", 5)).toBe("abcd…");
  expect(cutToWidth("漢字漢字", 4)).toBe("漢…");
  expect(cutToWidth("abc", 1)).toBe("…");
  expect(cutToWidth("abc", 0)).toBe("");
});

test("fills up to columns", () => {
  expect(fitToWidth("漢", 4)).toBe("漢  ");
  expect(fitToWidth("abcdef", 4)).toBe("abc…");
});

test("wraps between words, and cuts what is too much", () => {
  expect(wrapText("the rule EU2 is used but declared nowhere", 12, 9)).toEqual([
    "the rule EU2",
    "is used but",
    "declared",
    "nowhere",
  ]);
  expect(wrapText("the rule EU2 is used but declared nowhere", 12, 2)).toEqual(["the rule EU2", "is used but…"]);
  expect(wrapText("abcdefghij", 4, 9)).toEqual(["abcd", "efgh", "ij"]);
  expect(wrapText("漢字漢字", 3, 9)).toEqual(["漢", "字", "漢", "字"]);
  expect(wrapText("", 10, 3)).toEqual([""]);
});
