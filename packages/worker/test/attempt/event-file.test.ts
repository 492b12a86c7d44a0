import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EventFile, MAX_EVENT_LINE_BYTES } from "../../src/attempt/event-file.ts";

const directory = mkdtempSync(join(tmpdir(), "fanfold-events-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Reads all lines of a file that has got its content. */
async function linesOf(name: string, content: string): Promise<[string | undefined, number][]> {
  const file = join(directory, name);
  writeFileSync(file, content);
  const lines: [string | undefined, number][] = [];
  await new EventFile(file, (line, number) => lines.push([line, number])).follow({ signal: AbortSignal.abort() });
  return lines;
}

test("numbers lines from one, leaves out blank ones and reads the last without its newline", async () => {
  expect(await linesOf("plain", "a\n\n  \nb\r\nc")).toEqual([
    ["a", 1],
    ["b", 4],
    ["c", 5],
  ]);
});

test("reads characters whole however the file is read", async () => {
  const long = "é".repeat(50_000);
  expect(await linesOf("wide", `x${long}\n${long}\n`)).toEqual([
    [`x${long}`, 1],
    [long, 2],
  ]);
});

test("stands in for a line that is too long, and goes on after it", async () => {
  expect(await linesOf("huge", `${"x".repeat(MAX_EVENT_LINE_BYTES + 1)}\nnext\n`)).toEqual([
    [undefined, 1],
    ["next", 2],
  ]);
});

test("a missing file has no lines", async () => {
  const file = new EventFile(join(directory, "missing"), () => expect.unreachable());
  await file.follow({ signal: AbortSignal.abort() });
});

test("hears lines as they are appended, and starts over when the file was written anew", async () => {
  const file = join(directory, "growing");
  writeFileSync(file, "one\ntw");
  const end = new AbortController();
  const lines: (string | undefined)[] = [];
  const onLine = (line: string | undefined) => {
    lines.push(line);
    if (line === "one") appendFileSync(file, "o\n");
    if (line === "two") writeFileSync(file, "anew\n");
    if (line === "anew") end.abort();
  };
  await new EventFile(file, onLine).follow({ signal: end.signal });
  expect(lines).toEqual(["one", "two", "anew"]);
});
