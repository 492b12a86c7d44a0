import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonlError } from "../../src/jsonl/jsonl-error.ts";
import { type LineLimits, LineSplitter } from "../../src/jsonl/line-splitter.ts";
import { chunkSizes, textOf } from "./byte-chunks.ts";

interface Line {
  text: string;
  start: number;
  end: number;
  line: number;
}

/** Splits a text that arrives in chunks of the given sizes, whose memory is overwritten as soon as it is done with. */
function split(text: string, sizes: readonly number[] = [1_000], limits: LineLimits = {}): Line[] {
  const bytes = new TextEncoder().encode(text);
  const splitter = new LineSplitter(limits);
  const lines: Line[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const chunk = bytes.slice(at, at + (sizes[turn % sizes.length] ?? 1));
    for (const { bytes: line, ...place } of splitter.push(chunk)) lines.push({ text: textOf(line), ...place });
    at += chunk.length;
    chunk.fill(0);
  }
  for (const { bytes: line, ...place } of splitter.end()) lines.push({ text: textOf(line), ...place });
  return lines;
}

const pieces = fc.constantFrom("a", "é", "😀", "\n", "\r", "\r\n", " ", "\t", "{}", "\u{feff}");
const texts = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(""));

describe("LineSplitter", () => {
  test("gives each line with its place in the stream", () => {
    expect(split("one\ntwo\n")).toEqual([
      { text: "one", start: 0, end: 4, line: 1 },
      { text: "two", start: 4, end: 8, line: 2 },
    ]);
  });

  test("gives a last line without newline", () => {
    expect(split("one\ntwo")).toEqual([
      { text: "one", start: 0, end: 4, line: 1 },
      { text: "two", start: 4, end: 7, line: 2 },
    ]);
  });

  test("leaves blank lines out but counts them", () => {
    expect(split("\n  \t\r\none\n\n")).toEqual([{ text: "one", start: 6, end: 10, line: 3 }]);
    expect(split("")).toEqual([]);
    expect(split("\n")).toEqual([]);
  });

  test("takes the carriage return of CRLF for part of the newline", () => {
    expect(split("one\r\ntwo\r\n")).toEqual([
      { text: "one", start: 0, end: 5, line: 1 },
      { text: "two", start: 5, end: 10, line: 2 },
    ]);
  });

  test("skips a byte order mark at the start of the stream only", () => {
    expect(split("\u{feff}one\n\u{feff}two\n", [1]).map(({ start, end }) => ({ start, end }))).toEqual([
      { start: 3, end: 7 },
      { start: 7, end: 14 },
    ]);
    expect(split("\u{feff}\n")).toEqual([]);
  });

  test("finds the same lines wherever the chunks begin", () => {
    fc.assert(
      fc.property(texts, chunkSizes, (text, sizes) => {
        expect(split(text, sizes)).toEqual(split(text));
      }),
    );
  });

  test("finds every line that is not blank, in order, with places that do not overlap", () => {
    fc.assert(
      fc.property(texts, chunkSizes, (text, sizes) => {
        const lines = split(text, sizes);
        const expected = text
          .replace(/^\u{feff}/u, "")
          .split("\n")
          .map((line) => line.replace(/\r$/, ""))
          .filter((line) => !/^[ \t\r]*$/.test(line));
        expect(lines.map((line) => line.text)).toEqual(expected);
        const bytes = new TextEncoder().encode(text);
        let before = 0;
        for (const { text: line, start, end } of lines) {
          expect(start).toBeGreaterThanOrEqual(before);
          expect(textOf(bytes.subarray(start, end)).replace(/\r?\n$|\r$/, "")).toBe(line);
          before = end;
        }
      }),
    );
  });

  test("accepts a line of exactly the limit and refuses a longer one by number, however it arrives", () => {
    for (const sizes of [[1], [3], [100]]) {
      expect(split("1234\n1234", sizes, { maxLineBytes: 4 })).toHaveLength(2);
      expect(() => split("1234\n12345\n", sizes, { maxLineBytes: 4 })).toThrow(
        /^line 2 is longer than 4 bytes: 12345?/,
      );
      expect(() => split("1234\n12345", sizes, { maxLineBytes: 4 })).toThrow(JsonlError);
    }
  });

  test("refuses a line too long before its end arrives", () => {
    const splitter = new LineSplitter({ maxLineBytes: 10 });
    expect([...splitter.push(new Uint8Array(10))]).toEqual([]);
    expect(() => [...splitter.push(new Uint8Array(1))]).toThrow("line 1 is longer than 10 bytes");
  });
});
