import { connect, type Socket } from "node:net";
import type { RedisNotice } from "@fanfold/store";
import { Deployment, eventually } from "@fanfold/testkit";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { BUSY_MS, ENDED_WELL, GatedPlan, SHARDS } from "./gated-plan.ts";
import { makeDir, serve, startServer, untilInfo } from "./redis-server.ts";

/** A deployment on a server, which writes down what is to be said of the connection. */
async function deploy(address: { url: string }) {
  const notices: RedisNotice[] = [];
  const onRedisNotice = (notice: RedisNotice) => void notices.push(notice);
  const deployment = await Deployment.start(address, { workers: 2, onRedisNotice });
  const gated = new GatedPlan(await makeDir());
  onTestFinished(() => {
    gated.letGo();
    return deployment.stop();
  });
  return { deployment, notices, gated };
}

/** Waits until so many lines were said. */
async function said(notices: readonly RedisNotice[], count: number): Promise<void> {
  await eventually(() => notices.length >= count);
}

/** A port on loopback whose connections lead to a server, and later to another one. */
async function switchboard(port: number) {
  let target = port;
  const open = new Set<Socket>();
  const own = await serve((socket) => {
    const there = connect(target, "127.0.0.1");
    open.add(socket).add(there);
    socket.pipe(there).pipe(socket);
    there.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    socket.on("close", () => there.destroy());
  });
  return {
    url: `redis://127.0.0.1:${own}`,
    leadTo: (other: number) => {
      target = other;
    },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

describe("a Redis whose memory is full", () => {
  test("stalls a run, loses nothing, and lets it go on when it has memory again", { timeout: BUSY_MS }, async () => {
    const server = await startServer();
    const { deployment, notices, gated } = await deploy(server);
    const runId = await deployment.submit(gated.plan);
    await gated.began(4);
    await server.admin.config("SET", "maxmemory", "1");
    gated.letGo();
    await gated.ended(4);
    await said(notices, 1);
    expect(await deployment.story(runId)).not.toContain("shard_succeeded work");
    await server.admin.config("SET", "maxmemory", "0");
    expect(await gated.outcome(deployment, runId)).toEqual(ENDED_WELL);
    expect(notices).toEqual([
      { state: "trouble", message: expect.stringMatching(/has no memory left .*CONFIG SET maxmemory/) },
      { state: "over", message: expect.stringMatching(/works again, after \d+\.\d s$/) },
    ]);
  });

  test("may be full again and again: transactions are repeated as a whole", { timeout: BUSY_MS }, async () => {
    const server = await startServer();
    const { deployment, notices, gated } = await deploy(server);
    gated.letGo();
    const over = new AbortController();
    const flapping = (async () => {
      while (!over.signal.aborted) {
        await server.admin.config("SET", "maxmemory", "1");
        await new Promise((resolve) => setTimeout(resolve, 50));
        await server.admin.config("SET", "maxmemory", "0");
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    const runId = await deployment.submit(gated.plan);
    const outcome = await gated.outcome(deployment, runId).finally(() => {
      over.abort();
    });
    expect(outcome).toEqual(ENDED_WELL);
    await flapping;
    expect(notices.filter(({ state }) => state === "trouble")).toHaveLength(1);
  });
});

test("a master that becomes a replica is left for the new master, and the run goes on there", {
  timeout: BUSY_MS,
}, async () => {
  const master = await startServer();
  const other = await startServer({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
  await untilInfo(other.admin, /master_link_status:up/);
  const board = await switchboard(master.port);
  const { deployment, notices, gated } = await deploy(board);
  const runId = await deployment.submit(gated.plan);
  await gated.began(4);
  await master.admin.call("FAILOVER", "TO", "127.0.0.1", other.port);
  await untilInfo(other.admin, /role:master/);
  board.leadTo(other.port);
  gated.letGo();
  await gated.ended(SHARDS);
  expect(await gated.outcome(deployment, runId)).toEqual(ENDED_WELL);
  expect(notices.map(({ state }) => state)).toContain("trouble");
  expect(notices.at(-1)?.state).toBe("over");
});

test("a connection that is cut is opened again, and says so in one line when it goes and one when it is back", {
  timeout: BUSY_MS,
}, async () => {
  const server = await startServer();
  const board = await switchboard(server.port);
  const { deployment, notices, gated } = await deploy(board);
  const runId = await deployment.submit(gated.plan);
  await gated.began(4);
  board.leadTo(1);
  board.cut();
  gated.letGo();
  await gated.ended(4);
  await said(notices, 1);
  board.leadTo(server.port);
  expect(await gated.outcome(deployment, runId)).toEqual(ENDED_WELL);
  expect(notices).toEqual([
    { state: "trouble", message: expect.stringContaining("is gone; everything waits until it is back") },
    { state: "over", message: expect.stringContaining("works again") },
  ]);
});

test("a password that is changed loses no command: they wait until we are let in again", {
  timeout: BUSY_MS,
}, async () => {
  const server = await startServer({ args: ["--requirepass", "first"], password: "first" });
  const { deployment, notices, gated } = await deploy({ url: server.url.replace("//", "//:first@") });
  const runId = await deployment.submit(gated.plan);
  await gated.began(4);
  await server.admin.config("SET", "requirepass", "second");
  await server.admin.call("CLIENT", "KILL", "TYPE", "normal");
  gated.letGo();
  await gated.ended(4);
  await said(notices, 2);
  await changeBack(server.port);
  expect(await gated.outcome(deployment, runId)).toEqual(ENDED_WELL);
  expect(notices).toEqual([
    { state: "trouble", message: expect.stringContaining("is gone") },
    { state: "trouble", message: expect.stringMatching(/lets nobody in: WRONGPASS/) },
    { state: "over", message: expect.stringContaining("works again") },
  ]);
  expect(JSON.stringify(notices)).not.toContain("first");
});

async function changeBack(port: number): Promise<void> {
  const redis = new Redis(port, "127.0.0.1", { password: "second" });
  await redis.config("SET", "requirepass", "first");
  redis.disconnect();
}
