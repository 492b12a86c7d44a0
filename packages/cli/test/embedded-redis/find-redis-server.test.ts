import { mkdir, readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findRedisServer, parseServerVersion } from "../../src/embedded-redis/find-redis-server.ts";
import { makeScratchDir, writeScript } from "./scratch.ts";

const REDIS_7 = 'echo "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d"';
const REDIS_6_0 = 'echo "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=6d95"';
const VALKEY_8 = 'echo "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1b6b"';

describe("parseServerVersion", () => {
  test.each([
    ["Redis server v=7.0.15 sha=0:0", { version: "7.0.15", isNewEnough: true }],
    ["Redis server v=6.2.0 sha=0:0", { version: "6.2.0", isNewEnough: true }],
    ["Redis server v=6.0.16 sha=0:0", { version: "6.0.16", isNewEnough: false }],
    ["Redis server v=5.9.9 sha=0:0", { version: "5.9.9", isNewEnough: false }],
    ["Redis server v=10.0.0 sha=0:0", { version: "10.0.0", isNewEnough: true }],
    ["Valkey server v=1.0.0 sha=0:0", { version: "1.0.0", isNewEnough: true }],
    ["hello", undefined],
  ])("reads %j", (answer, expected) => {
    expect(parseServerVersion(answer)).toEqual(expected);
  });
});

describe("findRedisServer", () => {
  test("finds nothing where nothing is", async () => {
    const dir = await makeScratchDir();
    expect(await findRedisServer({ PATH: dir })).toBeUndefined();
    expect(await findRedisServer({})).toBeUndefined();
  });

  test("prefers redis-server to valkey-server, wherever on PATH they are", async () => {
    const dir = await makeScratchDir();
    const [first, second] = [join(dir, "a"), join(dir, "b")];
    await Promise.all([mkdir(first), mkdir(second)]);
    await writeScript(join(first, "valkey-server"), VALKEY_8);
    const redis = await writeScript(join(second, "redis-server"), REDIS_7);
    expect(await findRedisServer({ PATH: `${first}:${second}` })).toEqual({ path: redis, version: "7.0.15" });
  });

  test("takes valkey-server when redis-server is too old", async () => {
    const dir = await makeScratchDir();
    await writeScript(join(dir, "redis-server"), REDIS_6_0);
    const valkey = await writeScript(join(dir, "valkey-server"), VALKEY_8);
    expect(await findRedisServer({ PATH: dir })).toEqual({ path: valkey, version: "8.1.1" });
  });

  test("refuses a server that is too old, and says which and what to do", async () => {
    const dir = await makeScratchDir();
    const redis = await writeScript(join(dir, "redis-server"), REDIS_6_0);
    await expect(findRedisServer({ PATH: dir })).rejects.toMatchObject({
      name: "EmbeddedRedisError",
      code: "BINARY_TOO_OLD",
      message: expect.stringMatching(new RegExp(`^${redis} is Redis 6\\.0\\.16, older than 6\\.2; .*REDIS_URL`)),
    });
  });

  test("uses the binary that FANFOLD_REDIS_SERVER names and no other", async () => {
    const dir = await makeScratchDir();
    await writeScript(join(dir, "redis-server"), REDIS_7);
    const named = await writeScript(join(dir, "mine"), VALKEY_8);
    const env = { PATH: dir, FANFOLD_REDIS_SERVER: named };
    expect(await findRedisServer(env)).toEqual({ path: named, version: "8.1.1" });
    await expect(findRedisServer({ ...env, FANFOLD_REDIS_SERVER: join(dir, "absent") })).rejects.toMatchObject({
      code: "BINARY_MISSING",
      message: expect.stringContaining(join(dir, "absent")),
    });
    await expect(findRedisServer({ ...env, FANFOLD_REDIS_SERVER: dir })).rejects.toMatchObject({
      code: "BINARY_MISSING",
    });
  });

  test.each(["echo hello", "exit 3"])("refuses a binary whose --version does `%s`", async (body) => {
    const dir = await makeScratchDir();
    await writeScript(join(dir, "redis-server"), body);
    await expect(findRedisServer({ PATH: dir })).rejects.toMatchObject({ code: "BINARY_UNUSABLE" });
  });

  test("asks a binary for its version once, and again when it has changed", async () => {
    const dir = await makeScratchDir();
    const calls = join(dir, "calls");
    const path = await writeScript(join(dir, "redis-server"), `echo call >> ${calls}; ${REDIS_7}`);
    const options = { cacheFile: join(dir, "cache/version") };
    const find = () => findRedisServer({ PATH: dir }, options);
    expect(await find()).toEqual({ path, version: "7.0.15" });
    expect(await find()).toEqual({ path, version: "7.0.15" });
    expect(await readFile(calls, "utf8")).toBe("call\n");

    await writeScript(path, `echo call >> ${calls}; ${VALKEY_8}`);
    await utimes(path, 1, 1);
    expect(await find()).toEqual({ path, version: "8.1.1" });
    expect(await readFile(calls, "utf8")).toBe("call\ncall\n");
  });
});
