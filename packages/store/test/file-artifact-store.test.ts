import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileArtifactStore } from "../src/file-artifact-store.ts";

const LONG_AGO_SEC = 1_000_000;

let dir = "";
let store = new FileArtifactStore(dir);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "fanfold-artifacts-"));
  store = new FileArtifactStore(dir);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function pathOf(sha256: string): string {
  return join(dir, "sha256", sha256.slice(0, 2), sha256);
}

async function put(text: string): Promise<string> {
  return (await store.put([Buffer.from(text)])).sha256;
}

async function read(sha256: string, range?: { start: number; end: number }): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.stream(sha256, range)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function damage(sha256: string, text: string): Promise<void> {
  await chmod(pathOf(sha256), 0o644);
  await writeFile(pathOf(sha256), text);
}

async function age(path: string): Promise<void> {
  await utimes(path, LONG_AGO_SEC, LONG_AGO_SEC);
}

async function listAll(): Promise<string[]> {
  const found: string[] = [];
  for await (const sha of store.list()) found.push(sha);
  return found.sort();
}

describe("renewing", () => {
  test("keeps old content from removal, and says whether there is any", async () => {
    const sha = await put("kept");
    await age(pathOf(sha));
    const beforeMs = await store.nowMs();
    expect(await store.renew(sha)).toBe(true);
    expect(await store.remove(sha, beforeMs, { dryRun: false })).toBeUndefined();
    expect(await read(sha)).toBe("kept");
    expect(await store.renew(hashOf("nothing"))).toBe(false);
  });
});

describe("reading", () => {
  test("gives back what was put, whole or in part", async () => {
    const sha = await put("0123456789");
    expect(sha).toBe(hashOf("0123456789"));
    expect(await read(sha)).toBe("0123456789");
    expect(await read(sha, { start: 2, end: 5 })).toBe("234");
    expect(await read(sha, { start: 5, end: 5 })).toBe("");
  });

  test("gives back more than one chunk, and nothing of what is empty", async () => {
    const long = "abc".repeat(300_000);
    expect(await read(await put(long))).toBe(long);
    expect(await read(await put(""))).toBe("");
  });

  test("names what is missing", async () => {
    const sha = hashOf("never put");
    await expect(read(sha)).rejects.toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
      message: expect.stringContaining(pathOf(sha)),
    });
  });

  test.each([
    ["the whole", undefined],
    ["a range", { start: 0, end: 2 }],
  ])("finds other bytes when %s is read, and says which, where, and what to do", async (_what, range) => {
    const sha = await put("right");
    await damage(sha, "wrong");
    const error = read(sha, range);
    await expect(error).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
    for (const word of [sha, hashOf("wrong"), pathOf(sha), "5 bytes", "submit the plan again"]) {
      await expect(error).rejects.toThrow(word);
    }
  });

  test.each([
    ["the whole", undefined],
    ["a range that is there", { start: 0, end: 2 }],
    ["a range that is not there", { start: 5, end: 9 }],
  ])("finds a truncated file when %s is read", async (_what, range) => {
    const sha = await put("0123456789");
    await chmod(pathOf(sha), 0o644);
    await truncate(pathOf(sha), 4);
    await expect(read(sha, range)).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
  });

  test("notices a change after it has verified the file once", async () => {
    const sha = await put("right");
    expect(await read(sha, { start: 0, end: 1 })).toBe("r");
    await damage(sha, "wrong bytes");
    await expect(read(sha, { start: 0, end: 1 })).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
  });

  test("is put right by putting the same bytes again", async () => {
    const sha = await put("right");
    await damage(sha, "wrong");
    await put("right");
    expect(await read(sha)).toBe("right");
  });

  test("goes on to the end when the artifact is removed meanwhile", async () => {
    const long = "abc".repeat(300_000);
    const sha = await put(long);
    const pieces: Uint8Array[] = [];
    for await (const piece of store.stream(sha)) {
      if (pieces.length === 0)
        expect(await store.remove(sha, Number.POSITIVE_INFINITY, { dryRun: false })).toBe(900_000);
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).toString()).toBe(long);
    await expect(read(sha)).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  });
});

describe("a put that fails", () => {
  test("leaves nothing behind", async () => {
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      throw new Error("cut off");
    };
    await expect(store.put(chunks())).rejects.toThrow("cut off");
    expect(await readdir(join(dir, "incoming"))).toEqual([]);
    expect(await listAll()).toEqual([]);
  });
});

describe("removing", () => {
  test("takes what is old, and keeps what was put since, also when it was put again", async () => {
    const shas = await Promise.all(["a", "b", "c"].map(put));
    for (const sha of shas) await age(pathOf(sha));
    const beforeMs = await store.nowMs();
    await put("b");
    const sizes = [];
    for (const sha of shas) sizes.push(await store.remove(sha, beforeMs, { dryRun: false }));
    expect(sizes).toEqual([1, undefined, 1]);
    expect(await listAll()).toEqual([hashOf("b")]);
    expect(await readdir(join(dir, "incoming"))).toEqual([]);
  });

  test("only looks when it is to be tried", async () => {
    const sha = await put("a");
    expect(await store.remove(sha, Number.POSITIVE_INFINITY, { dryRun: true })).toBe(1);
    expect(await listAll()).toEqual([sha]);
  });

  test("takes what dead writers left, if nobody writes to it any more", async () => {
    await mkdir(join(dir, "incoming"), { recursive: true });
    await writeFile(join(dir, "incoming", "old"), "12345");
    await age(join(dir, "incoming", "old"));
    const beforeMs = await store.nowMs();
    await writeFile(join(dir, "incoming", "new"), "1");
    expect(await store.removeLeftovers(beforeMs, { dryRun: false })).toEqual({ files: 1, bytes: 5 });
    expect(await readdir(join(dir, "incoming"))).toEqual(["new"]);
  });
});
