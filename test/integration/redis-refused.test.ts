import { connectRedis, type RedisAddress, type RedisNotice, StoreError } from "@fanfold/store";
import { describe, expect, test } from "vitest";
import { freePort, serve, startServer } from "./redis-server.ts";

/** Longest time until a server that cannot be used is refused, in ms. */
const LIMIT_MS = 5_000;

interface Attempt {
  readonly allowsEviction?: boolean;
  readonly notices?: RedisNotice[];
}

/** Connects, and closes again. @returns nothing, or why it was refused */
async function tryConnect(address: RedisAddress | string, { allowsEviction, notices = [] }: Attempt = {}) {
  const startedAtMs = performance.now();
  const options = { allowsEviction: allowsEviction ?? false, onNotice: (notice: RedisNotice) => notices.push(notice) };
  try {
    const redis = await connectRedis(typeof address === "string" ? { url: address } : address, options);
    redis.disconnect();
    return undefined;
  } catch (error) {
    expect(performance.now() - startedAtMs).toBeLessThan(LIMIT_MS);
    if (!(error instanceof StoreError)) throw error;
    expect(error.message).not.toContain("\n");
    expect(error.message).not.toContain("s3cret");
    return `${error.code}: ${error.message}`;
  }
}

describe("a Redis that throws keys away when it is full", () => {
  test("is refused, with the fix", async () => {
    const { url, admin } = await startServer({ args: ["--maxmemory-policy", "allkeys-lru"] });
    expect(await tryConnect(url)).toMatch(
      /^REDIS_UNSUITABLE: redis at redis:\/\/127\.0\.0\.1:\d+ throws keys away .*allkeys-lru.*CONFIG SET maxmemory-policy noeviction/,
    );
    await admin.config("SET", "maxmemory-policy", "noeviction");
    expect(await tryConnect(url)).toBeUndefined();
  });

  test("is put up with when somebody says so, with a warning", async () => {
    const { url } = await startServer({ args: ["--maxmemory-policy", "volatile-lru"] });
    const notices: RedisNotice[] = [];
    expect(await tryConnect(url, { allowsEviction: true, notices })).toBeUndefined();
    expect(notices).toEqual([
      { state: "trouble", message: expect.stringMatching(/volatile-lru.*FANFOLD_ALLOW_EVICTION/) },
    ]);
  });

  test("is found out where CONFIG is not permitted", async () => {
    const { url, admin } = await startServer({ args: ["--maxmemory-policy", "allkeys-random"] });
    await admin.acl("SETUSER", "app", "on", ">s3cret", "~*", "&*", "+@all", "-config");
    expect(await tryConnect(url.replace("//", "//app:s3cret@"))).toMatch(/maxmemory-policy allkeys-random/);
  });
});

describe("a Redis that does not let us in is refused in one line that tells no password:", () => {
  test("wrong, missing or unknown credentials", async () => {
    const { url } = await startServer({ args: ["--requirepass", "right"], password: "right" });
    expect(await tryConnect(url.replace("//", "//:s3cret@"))).toMatch(
      /^REDIS_REFUSED: .*does not accept the user or the password/,
    );
    expect(await tryConnect(url.replace("//", "//nobody:s3cret@"))).toMatch(/does not accept the user or the password/);
    expect(await tryConnect(url)).toMatch(
      /^REDIS_REFUSED: redis at redis:\/\/127\S+ wants a password; write redis:\/\/user:/,
    );
    expect(await tryConnect(url.replace("//", "//:right@"))).toBeUndefined();
  });

  test.each([
    ["INFO", ["+@all", "-info"]],
    ["writing", ["+@read", "+@connection", "+info", "+eval"]],
    ["other keys than its own", ["+@all", "resetkeys", "~mine:*"]],
    ["publishing", ["+@all", "resetchannels"]],
  ])("a user who is not permitted %s", async (_what, rules) => {
    const { url, admin } = await startServer();
    await admin.acl("SETUSER", "app", "on", ">s3cret", "~*", "&*", ...rules);
    expect(await tryConnect(url.replace("//", "//app:s3cret@"))).toMatch(
      /^REDIS_REFUSED: .*does not permit its user what Fanfold does .*docs\/redis\.md/,
    );
  });

  test("a database that is not there", async () => {
    const { url } = await startServer();
    expect(await tryConnect(`${url}/99`)).toMatch(/^REDIS_REFUSED: .*no database of that number/);
    expect(await tryConnect(`${url}/x`)).toMatch(/^REDIS_REFUSED: REDIS_URL names database "x"/);
    expect(await tryConnect(`${url}/3`)).toBeUndefined();
  });

  test("protected mode", async () => {
    const port = await serve((socket) => {
      socket.end("-DENIED Redis is running in protected mode because protected mode is enabled\r\n");
    });
    expect(await tryConnect(`redis://127.0.0.1:${port}`)).toMatch(/^REDIS_REFUSED: .*is in protected mode/);
  });

  test("no room for another connection", async () => {
    const { url, admin } = await startServer();
    await admin.config("SET", "maxclients", "1");
    // the server closes the connection right after it has said so, and may be faster than its words
    expect(await tryConnect(url)).toMatch(/maxclients/);
  });
});

describe("an address that is wrong is refused in one line that tells no password:", () => {
  test.each([
    ["localhost:6379", /must start with redis:\/\//],
    ["http://:s3cret@host", /must start with redis:\/\/.*got "http:\/\/host"/],
    ["redis://:s3cret#x@host", /got|takes no options|cannot be reached/],
    ["redis://:s3cret@host:70000", /ports go up to 65535/],
    ["redis://:s3cret@host:x", /write host:port/],
    ["redis://a,b", /several hosts/],
    ["redis://h?db=3", /takes no options/],
    ["redis+sentinel://h", /names no master/],
    ["redis+cluster://h/3", /database 0 only/],
    ["redis://:%zz@h", /not URL-encoded/],
  ])("%s", async (url, reason) => {
    expect(await tryConnect(url)).toMatch(reason);
  });

  test("a host that is not there", async () => {
    expect(await tryConnect("redis://:s3cret@no-such-host.invalid:1")).toMatch(
      /cannot be reached .*ENOTFOUND|EAI_AGAIN/,
    );
    expect(await tryConnect(`redis://:s3cret@127.0.0.1:${await freePort()}`)).toMatch(
      /cannot be reached .*ECONNREFUSED/,
    );
  });
});

describe("a server of another kind than the address says is refused:", () => {
  test("a replica, with where its master is", async () => {
    const master = await startServer();
    const replica = await startServer({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
    expect(await tryConnect(replica.url)).toMatch(
      new RegExp(
        `^REDIS_UNSUITABLE: .*is a replica .*name its master, which it says is 127\\.0\\.0\\.1:${master.port}`,
      ),
    );
  });

  test("a node of a cluster, and no cluster", async () => {
    const node = await startServer({ args: ["--cluster-enabled", "yes"] });
    expect(await tryConnect(node.url)).toMatch(/^REDIS_UNSUITABLE: .*is a node of a cluster; write redis\+cluster:/);
    const single = await startServer();
    expect(await tryConnect(single.url.replace("redis:", "redis+cluster:"))).toMatch(
      /^REDIS_UNSUITABLE: .*is no cluster/,
    );
    expect(await tryConnect(`${single.url.replace("redis:", "redis+sentinel:")}/mymaster`)).toMatch(/is no Sentinel/);
  });
});

test("a server that is loading its data is waited for, and says so", async () => {
  const first = await startServer({ args: ["--rdb-key-save-delay", "0"] });
  const pipeline = first.admin.pipeline();
  for (let i = 0; i < 300; i += 1) pipeline.set(`key-${i}`, "x".repeat(1_000));
  await pipeline.exec();
  await first.admin.save();
  await first.kill("SIGTERM");
  const slow = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
  const { url } = await startServer({ dir: first.dir, args: slow, isHurried: true });
  const notices: RedisNotice[] = [];
  expect(await tryConnect(url, { notices })).toBeUndefined();
  expect(notices).toEqual([{ state: "trouble", message: expect.stringContaining("is loading its data; waiting") }]);
});
