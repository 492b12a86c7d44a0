import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ArtifactStore } from "../src/artifacts/artifact-store.ts";
import { type StoreFixture, fileFixture, s3Fixture, type StoreKind } from "./store-fixture.ts";

const KINDS: readonly (readonly [string, () => Promise<StoreKind>])[] = [
  ["files", fileFixture],
  ["S3", s3Fixture],
];

describe.each(KINDS)("an artifact store of %s", (_name, open) => {
  let kind: StoreKind;
  let fixture: StoreFixture;
  let store: ArtifactStore;
  beforeAll(async () => {
    kind = await open();
  });
  afterAll(() => kind.close());
  beforeEach(async () => {
    fixture = await kind.fixture();
    ({ store } = fixture);
  });
  afterEach(() => fixture.dispose());

  const put = async (text: string): Promise<string> => (await store.put([Buffer.from(text)])).sha256;

  const read = async (sha256: string, range?: { start: number; end: number }): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of store.stream(sha256, range)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  };

  const listAll = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const sha of store.list()) found.push(sha);
    return found.sort();
  };

  test("gives back what was put, whole or in part", async () => {
    const sha = await put("0123456789");
    expect(sha).toBe(hashOf("0123456789"));
    expect(await read(sha)).toBe("0123456789");
    expect(await read(sha, { start: 2, end: 5 })).toBe("234");
    expect(await read(sha, { start: 5, end: 5 })).toBe("");
  });

  test("keeps old content that is renewed, where it can, and says whether there is any", async () => {
    if (store.renew === undefined) return;
    const sha = await put("kept");
    const laterMs = await fixture.later([sha]);
    expect(await store.renew(sha)).toBe(true);
    expect(await store.remove(sha, laterMs, { dryRun: false })).toBeUndefined();
    expect(await read(sha)).toBe("kept");
    expect(await store.renew(hashOf("nothing"))).toBe(false);
  });

  test("gives back more than one chunk, and nothing of what is empty", async () => {
    const long = "abc".repeat(300_000);
    expect(await read(await put(long))).toBe(long);
    expect(await read(await put(""))).toBe("");
  });

  test("takes a stream of many megabytes, and gives back any range of it", async () => {
    const piece = Buffer.alloc(1024 * 1024, "0123456789abcdef");
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 20; i += 1) yield piece;
    };
    const { sha256, size_bytes } = await store.put(chunks());
    expect(size_bytes).toBe(20 * piece.byteLength);
    const hash = createHash("sha256");
    for await (const chunk of store.stream(sha256)) hash.update(chunk);
    expect(hash.digest("hex")).toBe(sha256);
    const start = 8 * 1024 * 1024 - 4;
    expect(await read(sha256, { start, end: start + 8 })).toBe("cdef0123");
  });

  test("names what is missing", async () => {
    const sha = hashOf("never put");
    await expect(read(sha)).rejects.toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
      message: expect.stringContaining(fixture.placeOf(sha)),
    });
  });

  test.each([
    ["the whole", undefined],
    ["a range", { start: 0, end: 2 }],
  ])("finds other bytes when %s is read, and says which, where, and what to do", async (_what, range) => {
    const sha = await put("right");
    await fixture.overwrite(sha, "wrong");
    const error = read(sha, range);
    await expect(error).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
    for (const word of [sha, hashOf("wrong"), fixture.placeOf(sha), "5 bytes", "submit the plan again"]) {
      await expect(error).rejects.toThrow(word);
    }
  });

  test.each([
    ["the whole", undefined],
    ["a range that is there", { start: 0, end: 2 }],
    ["a range that is not there", { start: 5, end: 9 }],
  ])("finds what was cut short when %s is read", async (_what, range) => {
    const sha = await put("0123456789");
    await fixture.overwrite(sha, "0123");
    await expect(read(sha, range)).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
  });

  test("notices a change after it has verified the content once", async () => {
    const sha = await put("right");
    expect(await read(sha, { start: 0, end: 1 })).toBe("r");
    await fixture.overwrite(sha, "wrong bytes");
    await expect(read(sha, { start: 0, end: 1 })).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
  });

  test("is put right by putting the same bytes again", async () => {
    const sha = await put("right");
    await fixture.overwrite(sha, "wrong");
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

  test("keeps nothing of a put that fails", async () => {
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2_000_000);
      throw new Error("cut off");
    };
    await expect(store.put(chunks())).rejects.toThrow("cut off");
    expect(await listAll()).toEqual([]);
    expect(await store.removeLeftovers(Number.POSITIVE_INFINITY, { dryRun: true })).toEqual({ files: 0, bytes: 0 });
  });

  test("removes what is old, and keeps what was put since, also when it was put again", async () => {
    const shas = await Promise.all(["a", "b", "c"].map(put));
    const beforeMs = await fixture.later(shas);
    await put("b");
    const sizes = [];
    for (const sha of shas) sizes.push(await store.remove(sha, beforeMs, { dryRun: false }));
    expect(sizes).toEqual([1, undefined, 1]);
    expect(await listAll()).toEqual([hashOf("b")]);
    expect(await store.removeLeftovers(Number.POSITIVE_INFINITY, { dryRun: true })).toEqual({ files: 0, bytes: 0 });
  });

  test("only looks when it is to be tried", async () => {
    const sha = await put("a");
    expect(await store.remove(sha, Number.POSITIVE_INFINITY, { dryRun: true })).toBe(1);
    expect(await listAll()).toEqual([sha]);
  });

  test("removes what dead writers left, if nobody writes to it any more", async () => {
    const beforeMs = await fixture.leaveBehind();
    const bytes = await store.removeLeftovers(beforeMs, { dryRun: true });
    expect(await store.removeLeftovers(beforeMs, { dryRun: false })).toEqual(bytes);
    expect(bytes).toEqual({ files: 1, bytes: 5 });
    expect(await fixture.listLeft()).toEqual(["new"]);
  });

  test("lists the deployments that keep content in it, and how to make it forget one", async () => {
    await store.enrol("one", "{fanfold} at here");
    await store.enrol("two", "{fanfold} at there");
    const found = (await store.listEnrolled()).sort((a, b) => a.id.localeCompare(b.id));
    expect(found.map(({ id, label }) => [id, label])).toEqual([
      ["one", "{fanfold} at here"],
      ["two", "{fanfold} at there"],
    ]);
    expect(found[0]?.entry).toMatch(/\/deployments\/one$/);
  });
});

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
