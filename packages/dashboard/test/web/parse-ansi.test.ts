import { describe, expect, test } from "vitest";
import { LogBuffer } from "../../web/src/log/log-buffer.ts";
import { parseAnsi, PLAIN, plainText } from "../../web/src/log/parse-ansi.ts";

const ESC = "\u001B";

describe("parseAnsi", () => {
  test.each([
    ["plain", [{ text: "plain", style: {} }]],
    [
      `${ESC}[31mred${ESC}[0m no`,
      [
        { text: "red", style: { fg: 1 } },
        { text: " no", style: {} },
      ],
    ],
    [
      `${ESC}[1;92mok${ESC}[22m!`,
      [
        { text: "ok", style: { isBold: true, fg: 10 } },
        { text: "!", style: { fg: 10 } },
      ],
    ],
    [
      `${ESC}[38;5;208mx${ESC}[48;2;1;2;255my`,
      [
        { text: "x", style: { fg: 208 } },
        { text: "y", style: { fg: 208, bg: "#0102ff" } },
      ],
    ],
    [
      `${ESC}[2K${ESC}[1Gline${ESC}]0;title\u0007 on`,
      [
        { text: "line", style: {} },
        { text: " on", style: {} },
      ],
    ],
    [
      `${ESC}[38;5;999mx${ESC}[4`,
      [
        { text: "x", style: {} },
        { text: "[4", style: {} },
      ],
    ],
    ["<script>alert(1)</script>\u0000", [{ text: "<script>alert(1)</script>", style: {} }]],
  ])("cuts %j into spans", (line, spans) => {
    const joined = parseAnsi(line).spans;
    expect(joined.map(({ text }) => text).join("")).toBe(spans.map(({ text }) => text).join(""));
    expect(joined.at(-1)?.style).toEqual(spans.at(-1)?.style);
    expect(joined[0]?.style).toEqual(spans[0]?.style);
  });

  test("starts a line with the style the one before ended with", () => {
    const { end } = parseAnsi(`${ESC}[33mwarn`);
    expect(parseAnsi("goes on", end).spans).toEqual([{ text: "goes on", style: { fg: 3 } }]);
    expect(parseAnsi(`${ESC}[m`, end).end).toEqual(PLAIN);
    expect(plainText(`${ESC}[33mwarn${ESC}[0m`)).toBe("warn");
  });
});

describe("LogBuffer", () => {
  test("cuts text into lines wherever its pieces end, and keeps what was written last", () => {
    const log = new LogBuffer();
    for (const piece of ["on", "e\nt", `wo ${ESC}[31mred\n10 %\r50 %\r100 %\r\nlast`]) log.append(piece);
    const lines = Array.from({ length: log.lineCount }, (_, index) => plainText(log.line(index).text));
    expect(lines).toEqual(["one", "two red", "100 %", "last"]);
    expect(log.line(3).start).toEqual({ fg: 1 });
    expect(log.find("RED")).toEqual([1]);
    log.append(" line\n");
    expect(plainText(log.line(3).text)).toBe("last line");
  });
});
