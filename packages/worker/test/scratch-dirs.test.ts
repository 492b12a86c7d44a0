import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { ScratchDirs } from "../src/scratch-dirs.ts";

const root = mkdtempSync(join(tmpdir(), "fanfold-scratch-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let dirs: ScratchDirs;
let count = 0;
beforeEach(() => {
  count += 1;
  dirs = new ScratchDirs(join(root, `${count}`));
});

/** Lends a directory, has something done in it, and gives it back. @returns the directory */
async function use(work: (dir: string) => void, { isClear = true } = {}): Promise<string> {
  const scratch = dirs.lend({ hasInput: true });
  work(scratch.dir);
  if (isClear) scratch.markClear();
  await scratch.end();
  return scratch.dir;
}

describe("the directory of an attempt", () => {
  test("is used again, with nothing in it but an input and an empty file of events", async () => {
    const first = await use((dir) => {
      for (const name of ["input.jsonl", "output", "log"]) writeFileSync(join(dir, name), "x");
      writeFileSync(join(dir, "events.jsonl"), "");
    });
    expect(dirs.lend({ hasInput: true }).dir).toBe(first);
    expect(readdirSync(first).sort()).toEqual(["events.jsonl", "input.jsonl"]);
  });

  test("has no input of another attempt where there is to be none", async () => {
    const first = await use((dir) => writeFileSync(join(dir, "input.jsonl"), "x"));
    expect(dirs.lend({ hasInput: false }).dir).toBe(first);
    expect(readdirSync(first)).toEqual([]);
  });

  test("is another one while it is used", () => {
    expect(dirs.lend({ hasInput: true }).dir).not.toBe(dirs.lend({ hasInput: true }).dir);
  });

  test("loses events that were written", async () => {
    const first = await use((dir) => writeFileSync(join(dir, "events.jsonl"), "{}"));
    expect(readdirSync(first)).toEqual([]);
  });

  test("is removed when a process may be left", async () => {
    const first = await use((dir) => writeFileSync(join(dir, "output"), "x"), { isClear: false });
    expect(existsSync(first)).toBe(false);
    expect(dirs.lend({ hasInput: true }).dir).not.toBe(first);
  });

  test.each<[string, (dir: string) => void]>([
    ["a directory", (dir) => mkdirSync(join(dir, "deep"))],
    ["a large file", (dir) => writeFileSync(join(dir, "output"), "x".repeat(100_000))],
    ["many files", (dir) => Array.from({ length: 20 }, (_, i) => writeFileSync(join(dir, `${i}`), ""))],
    ["other rights", (dir) => chmodSync(dir, 0o500)],
    ["nothing, not even itself", (dir) => rmSync(dir, { recursive: true })],
  ])("is removed when %s is left", async (_what, work) => {
    expect(existsSync(await use(work))).toBe(false);
  });

  test.each<[string, (path: string, other: string) => void]>([
    ["a link to another one", (path, other) => symlinkSync(other, path)],
    ["another name of another one", (path, other) => linkSync(other, path)],
    ["not to be written", (path) => writeFileSync(path, "", { mode: 0o400 })],
  ])("does not keep an input that is %s", async (_what, make) => {
    const other = join(root, `other-${count}`);
    writeFileSync(other, "of somebody else");
    const first = await use((dir) => make(join(dir, "input.jsonl"), other));
    expect(readdirSync(first)).toEqual([]);
  });
});
