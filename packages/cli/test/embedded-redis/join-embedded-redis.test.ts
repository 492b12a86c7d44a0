import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { RedisBinary } from "../../src/embedded-redis/find-redis-server.ts";
import { type EmbeddedRedis, joinEmbeddedRedis } from "../../src/embedded-redis/join-embedded-redis.ts";
import { endProcess, isProcessAlive } from "../../src/embedded-redis/process-identity.ts";
import { ask, getInstalledBinary, getServer, makeDataDir } from "./data-dir.ts";
import { compileSources, makeScratchDir } from "./scratch.ts";

/** Looking at foreign processes takes the /proc of Linux. */
const hasProc = existsSync("/proc/self/stat");
let binary: RedisBinary;

beforeAll(async () => {
  binary = await getInstalledBinary();
});

describe("the server", () => {
  test("has the settings that runs rely on, and is reached by its socket only", async () => {
    const dir = await makeDataDir();
    const redis = await joinEmbeddedRedis({ dir, binary });
    expect(redis).toMatchObject({ startedHere: true, version: binary.version, socketPath: join(dir, "redis.sock") });
    const info = await ask(redis, "INFO");
    expect(info).toContain("maxmemory_policy:noeviction");
    expect(info).toContain("configured_hz:100");
    expect(info).toContain("aof_enabled:1");
    expect(info).toContain("tcp_port:0");
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(redis.socketPath)).mode & 0o777).toBe(0o700);
    expect(info).toContain("rdb_bgsave_in_progress:0");
    expect(info).toContain("rdb_saves:0");
    await redis.leave();
  });

  test("is stopped when its only member leaves, and its data is there the next time", async () => {
    const dir = await makeDataDir();
    const first = await joinEmbeddedRedis({ dir, binary });
    const server = await getServer(dir);
    await ask(first, "SET answer 42");
    await first.leave();
    expect(await isProcessAlive(server)).toBe(false);
    expect(await readdir(dir)).not.toContain("redis.sock");

    const second = await joinEmbeddedRedis({ dir, binary });
    expect(second.startedHere).toBe(true);
    expect(await ask(second, "GET answer")).toBe("42");
    await second.leave();
  });

  test.skipIf(!hasProc)("runs in a session of its own, out of reach of the terminal", async () => {
    const dir = await makeDataDir();
    const redis = await joinEmbeddedRedis({ dir, binary });
    const { pid } = await getServer(dir);
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    const [, , group, session] = fields;
    expect({ group, session }).toEqual({ group: String(pid), session: String(pid) });
    await redis.leave();
  });

  test.each(["a space 'and' \"quotes\"", "ünïcode 語", "--port 1", "back\\slash"])(
    "serves a project directory called %j",
    async (name) => {
      const dir = await makeDataDir(join(await makeScratchDir(), name));
      const redis = await joinEmbeddedRedis({ dir, binary });
      expect(await ask(redis, "SET key value")).toBe("OK");
      await redis.leave();
      expect(await readdir(dir)).toContain("redis.log");
    },
  );

  test("has its socket in a private temporary directory when the path is too long for one", async () => {
    const dir = await makeDataDir(join(await makeScratchDir(), "long".repeat(30)));
    const redis = await joinEmbeddedRedis({ dir, binary });
    const other = await joinEmbeddedRedis({ dir, binary });
    expect(other).toMatchObject({ startedHere: false, socketPath: redis.socketPath });
    const socketDir = join(redis.socketPath, "..");
    expect(redis.socketPath.startsWith(dir)).toBe(false);
    expect((await stat(socketDir)).mode & 0o777).toBe(0o700);
    expect(await ask(redis, "PING")).toBe("PONG");
    await Promise.all([redis.leave(), other.leave()]);
    await expect(stat(socketDir)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("members", () => {
  test("share one server, which the last of them stops", async () => {
    const dir = await makeDataDir();
    const first = await joinEmbeddedRedis({ dir, binary });
    const second = await joinEmbeddedRedis({ dir, binary });
    const server = await getServer(dir);
    expect(second).toMatchObject({ startedHere: false, socketPath: first.socketPath, version: first.version });
    await first.leave();
    expect(await ask(second, "PING")).toBe("PONG");
    await second.leave();
    expect(await isProcessAlive(server)).toBe(false);
    expect(await readdir(join(dir, "members"))).toEqual([]);
  });

  test("may leave twice without taking the server from the others", async () => {
    const dir = await makeDataDir();
    const [first, second] = [await joinEmbeddedRedis({ dir, binary }), await joinEmbeddedRedis({ dir, binary })];
    await Promise.all([first.leave(), first.leave()]);
    await first.leave();
    expect(await ask(second, "PING")).toBe("PONG");
    await second.leave();
    await second.leave();
  });

  test("get one server between them when they all come at once", async () => {
    const dir = await makeDataDir();
    const all = await Promise.all(Array.from({ length: 8 }, () => joinEmbeddedRedis({ dir, binary })));
    expect(all.filter(({ startedHere }) => startedHere)).toHaveLength(1);
    const pids = await Promise.all(all.map((one) => ask(one, "INFO server")));
    expect(new Set(pids.map((info) => /process_id:\d+/.exec(info)?.[0])).size).toBe(1);
    const server = await getServer(dir);
    await Promise.all(all.map((one) => one.leave()));
    expect(await isProcessAlive(server)).toBe(false);
  });

  test("never meet a server that is being stopped", async () => {
    const dir = await makeDataDir();
    let current: EmbeddedRedis = await joinEmbeddedRedis({ dir, binary });
    for (let turn = 0; turn < 5; turn += 1) {
      const [next] = await Promise.all([joinEmbeddedRedis({ dir, binary }), current.leave()]);
      expect(await ask(next, "PING")).toBe("PONG");
      current = next;
    }
    await current.leave();
  });

  test("that died without leaving do not keep the server up", async () => {
    const dir = await makeDataDir();
    const redis = await joinEmbeddedRedis({ dir, binary });
    await writeFile(join(dir, "members/1-recycled"), "1 1000000000000000\n");
    await writeFile(join(dir, "members/2-unfinished"), "");
    const server = await getServer(dir);
    await redis.leave();
    expect(await isProcessAlive(server)).toBe(false);
    expect(await readdir(join(dir, "members"))).toEqual([]);
  });
});

/** Living processes that work in this directory, a server that is held back at its start included. */
async function countServers(dir: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
  return places.filter((place) => place === dir).length;
}

interface MemberProcess {
  child: ChildProcess;
  startedHere: boolean;
  socketPath: string;
  leave: () => Promise<void>;
}

const MEMBER_CHILD = `
  import { joinEmbeddedRedis } from "./join-embedded-redis.js";
  const [dir, path] = process.argv.slice(2);
  const redis = await joinEmbeddedRedis({ dir, binary: { path, version: "?" } });
  console.log([redis.startedHere, redis.socketPath].join(" "));
  process.stdin.once("data", async () => {
    await redis.leave();
    console.log("left");
    process.exit();
  });
`;

describe("members in processes of their own", () => {
  let scripts: string;

  beforeAll(async () => {
    scripts = await mkdtemp(join(tmpdir(), "ff-member-"));
    await compileSources(scripts, ["join-embedded-redis"]);
    await writeFile(join(scripts, "member.js"), MEMBER_CHILD);
    return () => rm(scripts, { recursive: true, force: true });
  });

  function spawnMember(dir: string) {
    const args = [join(scripts, "member.js"), dir, binary.path];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  /** Starts a process that joins, and leaves when it is told so. */
  async function startMember(dir: string): Promise<MemberProcess> {
    const child = spawnMember(dir);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const [startedHere, socketPath = ""] = String((await lines.next()).value).split(" ");
    const leave = async () => {
      child.stdin.write("leave\n");
      const line = await lines.next();
      if (line.value !== "left") throw new Error(`the member said ${String(line.value)}`);
      await once(child, "exit");
    };
    return { child, startedHere: startedHere === "true", socketPath, leave };
  }

  test("share the server, whichever of them started it", async () => {
    const dir = await makeDataDir();
    const starter = await startMember(dir);
    const redis = await joinEmbeddedRedis({ dir, binary });
    expect([starter.startedHere, redis.startedHere]).toEqual([true, false]);
    await ask(starter, "SET from starter");
    const server = await getServer(dir);
    await starter.leave();
    expect(await ask(redis, "GET from")).toBe("starter");
    await redis.leave();
    expect(await isProcessAlive(server)).toBe(false);
  });

  test("get one server between them when they all come at once", async () => {
    const dir = await makeDataDir();
    const all = await Promise.all([1, 2, 3, 4].map(() => startMember(dir)));
    expect(all.filter(({ startedHere }) => startedHere)).toHaveLength(1);
    const server = await getServer(dir);
    await Promise.all(all.map((one) => one.leave()));
    expect(await isProcessAlive(server)).toBe(false);
  });

  test.skipIf(!hasProc)(
    "leave at most one server, known to the next, when they are killed while starting it",
    async () => {
      for (const milestone of ["lock", "redis.log", "server.json", "redis.sock"]) {
        const dir = await makeDataDir();
        const child = spawnMember(dir);
        await expect.poll(() => existsSync(join(dir, milestone)), { interval: 1 }).toBe(true);
        child.kill("SIGKILL");
        await once(child, "exit");
        const next = await joinEmbeddedRedis({ dir, binary });
        await expect.poll(() => countServers(dir)).toBe(1);
        await next.leave();
        expect(await countServers(dir)).toBe(0);
      }
    },
  );

  test("leave the server up when the last is killed, for the next to use and stop", async () => {
    const dir = await makeDataDir();
    const { child, socketPath } = await startMember(dir);
    await ask({ socketPath }, "SET key kept");
    const server = await getServer(dir);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await isProcessAlive(server)).toBe(true);
    const next = await joinEmbeddedRedis({ dir, binary });
    expect(next.startedHere).toBe(false);
    expect(await ask(next, "GET key")).toBe("kept");
    await next.leave();
    expect(await isProcessAlive(server)).toBe(false);
  });
});

describe("after an accident", () => {
  test("a killed server is started anew on the same socket with all it had acknowledged", async () => {
    const dir = await makeDataDir();
    const first = await joinEmbeddedRedis({ dir, binary });
    await ask(first, "SET key kept");
    const killed = await getServer(dir);
    await endProcess(killed, 0);
    const second = await joinEmbeddedRedis({ dir, binary });
    expect(second).toMatchObject({ startedHere: true, socketPath: first.socketPath });
    expect(await ask(first, "GET key")).toBe("kept");
    await second.leave();
    expect(await ask(first, "PING")).toBe("PONG");
    const server = await getServer(dir);
    await first.leave();
    expect(await isProcessAlive(server)).toBe(false);
  });

  test("a server that hangs is replaced, and the user is told", async () => {
    const dir = await makeDataDir();
    const first = await joinEmbeddedRedis({ dir, binary });
    const hanging = await getServer(dir);
    process.kill(hanging.pid, "SIGSTOP");
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const second = await joinEmbeddedRedis({ dir, binary, say, silenceLimitMs: 100 });
    expect(second.startedHere).toBe(true);
    expect(await isProcessAlive(hanging)).toBe(false);
    expect(said).toEqual([`redis-server (pid ${hanging.pid}) of ${dir} does not answer; starting it anew`]);
    await Promise.all([first.leave(), second.leave()]);
  }, 10_000);

  test("a stale socket, lock and record of dead processes are in nobody's way", async () => {
    const dir = await makeDataDir();
    await (await joinEmbeddedRedis({ dir, binary })).leave();
    const { dev, ino } = await stat(dir);
    const dead = {
      pid: 1,
      started: "1000000000000000",
      socket_path: join(dir, "redis.sock"),
      directory: `${dev}:${ino}`,
    };
    await writeFile(join(dir, "server.json"), JSON.stringify(dead));
    await symlink("1 1000000000000000", join(dir, "lock/1000"));
    await writeFile(join(dir, "redis.sock"), "");
    const redis = await joinEmbeddedRedis({ dir, binary });
    expect(redis.startedHere).toBe(true);
    expect(await ask(redis, "PING")).toBe("PONG");
    await redis.leave();
  });

  test("a lost or foreign record does not hide the server that runs", async () => {
    const dir = await makeDataDir();
    const first = await joinEmbeddedRedis({ dir, binary });
    const server = await getServer(dir);
    await writeFile(join(dir, "server.json"), "{");
    const second = await joinEmbeddedRedis({ dir, binary });
    expect(second.startedHere).toBe(false);
    expect(await getServer(dir)).toEqual(server);
    await Promise.all([first.leave(), second.leave()]);
    expect(await isProcessAlive(server)).toBe(false);
  });

  test("a project that was moved while its server ran keeps that server", async () => {
    const parent = await makeScratchDir();
    const dir = await makeDataDir(join(parent, "old"));
    const first = await joinEmbeddedRedis({ dir, binary });
    const server = await getServer(dir);
    await ask(first, "SET key kept");
    await rename(join(parent, "old"), join(parent, "new"));
    const moved = await joinEmbeddedRedis({ dir: await makeDataDir(join(parent, "new")), binary });
    expect(moved).toMatchObject({
      startedHere: false,
      socketPath: join(parent, "new/.fanfold/redis/redis.sock"),
    });
    expect(await ask(moved, "GET key")).toBe("kept");
    await first.leave();
    await moved.leave();
    expect(await isProcessAlive(server)).toBe(false);
  });

  test("a copy of a project whose server runs gets a server of its own", async () => {
    const parent = await makeScratchDir();
    const [dir, copiedDir] = [await makeDataDir(join(parent, "old")), await makeDataDir(join(parent, "copy"))];
    const original = await joinEmbeddedRedis({ dir, binary });
    await mkdir(copiedDir, { recursive: true });
    await copyFile(join(dir, "server.json"), join(copiedDir, "server.json"));
    const copy = await joinEmbeddedRedis({ dir: copiedDir, binary });
    expect(copy.startedHere).toBe(true);
    await copy.leave();
    expect(await ask(original, "PING")).toBe("PONG");
    await original.leave();
  });

  test("a directory that was removed under its server takes the server with it, and stays removed", async () => {
    const parent = await makeScratchDir();
    const dir = await makeDataDir(parent);
    const redis = await joinEmbeddedRedis({ dir, binary });
    const server = await getServer(dir);
    await rm(join(parent, ".fanfold"), { recursive: true });
    await redis.leave();
    expect(await isProcessAlive(server)).toBe(false);
    expect(await readdir(parent)).toEqual([]);
  });

  test("a directory that was removed and made anew leaves no server behind", async () => {
    const parent = await makeScratchDir();
    const dir = await makeDataDir(parent);
    const first = await joinEmbeddedRedis({ dir, binary });
    const orphan = await getServer(dir);
    await rm(join(parent, ".fanfold"), { recursive: true });
    const second = await joinEmbeddedRedis({ dir, binary });
    await first.leave();
    expect(await isProcessAlive(orphan)).toBe(false);
    expect(await ask(second, "PING")).toBe("PONG");
    await second.leave();
  });
});
