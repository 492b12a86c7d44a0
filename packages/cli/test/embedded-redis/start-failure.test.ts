import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { RedisBinary } from "../../src/embedded-redis/find-redis-server.ts";
import { joinEmbeddedRedis } from "../../src/embedded-redis/join-embedded-redis.ts";
import { findProcess } from "../../src/embedded-redis/process-identity.ts";
import { ask, getInstalledBinary, makeDataDir } from "./data-dir.ts";
import { makeScratchDir, writeScript } from "./scratch.ts";

let binary: RedisBinary;

beforeAll(async () => {
  binary = await getInstalledBinary();
});

/** A data directory with one key in it; gives the file that holds the key, too. */
async function makeData(): Promise<{ dir: string; file: string }> {
  const dir = await makeDataDir();
  const redis = await joinEmbeddedRedis({ dir, binary });
  await ask(redis, "SET key value");
  await redis.leave();
  return { dir, file: join(dir, "appendonlydir/appendonly.aof.1.incr.aof") };
}

describe("data that the server cannot read", () => {
  test("is read up to the last whole command when a power cut left half of one", async () => {
    const { dir, file } = await makeData();
    await appendFile(file, "*3\r\n$3\r\nSET\r\n$3\r\nke");
    const redis = await joinEmbeddedRedis({ dir, binary });
    expect(await ask(redis, "GET key")).toBe("value");
    await redis.leave();
  });

  test.each([
    ["commands", "appendonly.aof.1.incr.aof", (path: string) => appendFile(path, "not a command\r\n")],
    ["snapshot", "appendonly.aof.1.base.rdb", (path: string) => truncate(path, 20)],
    ["snapshot's head", "appendonly.aof.1.base.rdb", (path: string) => writeFile(path, "nonsense")],
    ["newer snapshot", "appendonly.aof.1.base.rdb", (path: string) => writeFile(path, "REDIS9999nonsense")],
    ["manifest", "appendonly.aof.manifest", (path: string) => writeFile(path, "nonsense\n")],
    ["missing file", "appendonly.aof.1.incr.aof", (path: string) => rm(path)],
  ])("is left alone, and the error names it and says what to do: %s", async (what, name, damage) => {
    const remedy = what === "newer snapshot" ? "the newer server" : "(redis|valkey)-check-aof --fix";
    const { dir } = await makeData();
    const path = join(dir, "appendonlydir", name);
    await damage(path);
    const before = await readFile(path).catch(() => undefined);
    await expect(joinEmbeddedRedis({ dir, binary })).rejects.toMatchObject({
      code: "DATA_DAMAGED",
      message: expect.stringMatching(
        new RegExp(`cannot read ${dir}/appendonlydir/appendonly\\.aof\\..*nothing was deleted.*${remedy}.*move ${dir}`),
      ),
    });
    expect(await readFile(path).catch(() => undefined)).toEqual(before);
    expect(await readdir(dir)).not.toContain("server.json");
  });
});

describe("a start that fails", () => {
  test("ends with the last lines of the log", async () => {
    const dir = await makeDataDir();
    const path = await writeScript(join(await makeScratchDir(), "redis-server"), "echo out of luck; exit 1");
    await expect(joinEmbeddedRedis({ dir, binary: { path, version: "7.0.0" } })).rejects.toMatchObject({
      code: "START_FAILED",
      message: expect.stringMatching(
        /^\S+redis-server \(7\.0\.0\) ended while starting; [^]*redis\.log:\n  out of luck$/,
      ),
    });
    const redis = await joinEmbeddedRedis({ dir, binary });
    await redis.leave();
  });

  test("leaves no process behind when the server never answers", async () => {
    const [dir, scratch] = [await makeDataDir(), await makeScratchDir()];
    const pidFile = join(scratch, "pid");
    const path = await writeScript(join(scratch, "redis-server"), `echo $$ > ${pidFile}; exec sleep 60`);
    const mute = { path, version: "7.0.0" };
    await expect(joinEmbeddedRedis({ dir, binary: mute, silenceLimitMs: 100 })).rejects.toMatchObject({
      code: "START_FAILED",
      message: expect.stringContaining("did not answer within 0.1 s"),
    });
    expect(await findProcess(Number(await readFile(pidFile, "utf8")))).toBeUndefined();
  });

  test("names a binary that cannot be started", async () => {
    const dir = await makeDataDir();
    const gone = { path: join(dir, "gone"), version: "7.0.0" };
    await expect(joinEmbeddedRedis({ dir, binary: gone })).rejects.toMatchObject({
      code: "START_FAILED",
      message: expect.stringContaining(gone.path),
    });
  });

  test("names a directory that cannot be made", async () => {
    const file = join(await makeScratchDir(), "file");
    await writeFile(file, "");
    const dir = join(file, ".fanfold/redis");
    await expect(joinEmbeddedRedis({ dir, binary })).rejects.toMatchObject({
      code: "DIRECTORY_UNUSABLE",
      message: expect.stringContaining(`${dir} cannot hold the data`),
    });
  });
});
