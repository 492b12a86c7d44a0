import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectRedis, type RedisNotice } from "@fanfold/store";
import { Deployment, eventually } from "@fanfold/testkit";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { BUSY_MS, ENDED_WELL, GatedPlan } from "./gated-plan.ts";
import { freePort, makeDir, type RedisServer, startServer, untilInfo } from "./redis-server.ts";

const SENTINELS = 3;
/** Slots of every cluster. */
const SLOTS = 16_384;

test("a run outlives the failover of its master, which Sentinels arrange", { timeout: BUSY_MS }, async () => {
  const master = await startServer();
  const replica = await startServer({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
  await untilInfo(replica.admin, /master_link_status:up/);
  const ports = await startSentinels(master, replica);
  const url = `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/`;
  await expect(connectRedis({ url: `${url}other` })).rejects.toThrow(/know no master of that name/);
  await expect(connectRedis({ url: `redis://127.0.0.1:${ports[0]}` })).rejects.toThrow(
    /is a Sentinel; write redis\+sentinel/,
  );
  const { deployment, notices, gated } = await deploy(`${url}mymaster`);
  const runId = await deployment.submit(gated.plan);
  await gated.began(4);
  // WAIT waits for what this connection wrote, and so for all that was written before
  await master.admin.set("last", "1");
  await master.admin.wait(1, 5_000);
  await master.kill("SIGKILL");
  gated.letGo();
  expect(await gated.outcome(deployment, runId)).toEqual(ENDED_WELL);
  expect(await replica.admin.info("replication")).toContain("role:master");
  expect(notices.map(({ state }) => state)).toEqual(["trouble", "over"]);
});

test("a run ends well on a cluster of three, all its keys on one of them", { timeout: BUSY_MS }, async () => {
  const nodes = await startCluster();
  const { deployment, gated } = await deploy(
    `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
  );
  const runId = await deployment.submit(gated.plan);
  await gated.began(4);
  const sizes = await Promise.all(nodes.map(({ admin }) => admin.dbsize()));
  expect(sizes.filter((size) => size > 0)).toHaveLength(1);
  const full = nodes[sizes.findIndex((size) => size > 0)];
  await full?.admin.config("SET", "maxmemory", "1");
  gated.letGo();
  await gated.ended(4);
  await full?.admin.config("SET", "maxmemory", "0");
  expect(await gated.outcome(deployment, runId)).toEqual(ENDED_WELL);
  const waiting = new GatedPlan(await makeDir());
  const cancelled = await deployment.submit(waiting.plan);
  await waiting.began(4);
  await deployment.engine.cancel(cancelled, "test");
  expect((await deployment.ended(cancelled)).status).toBe("cancelled");
});

async function deploy(url: string) {
  const notices: RedisNotice[] = [];
  const deployment = await Deployment.start({ url }, { onRedisNotice: (notice) => void notices.push(notice) });
  const gated = new GatedPlan(await makeDir());
  onTestFinished(() => {
    gated.letGo();
    return deployment.stop();
  });
  return { deployment, notices, gated };
}

/** Sentinels that watch a master, and are told of one another and of the replica. @returns their ports */
async function startSentinels(master: RedisServer, replica: RedisServer): Promise<number[]> {
  const ports = await Promise.all(Array.from({ length: SENTINELS }, freePort));
  const ids = ports.map((port) => String(port).padStart(40, "0"));
  for (const [i, port] of ports.entries()) {
    const others = ports.flatMap((other, j) =>
      i === j ? [] : [`known-sentinel mymaster 127.0.0.1 ${other} ${ids[j]}`],
    );
    const settings = [
      `myid ${ids[i]}`,
      `monitor mymaster 127.0.0.1 ${master.port} 2`,
      "down-after-milliseconds mymaster 500",
      "failover-timeout mymaster 3000",
      `known-replica mymaster 127.0.0.1 ${replica.port}`,
      ...others,
    ];
    const dir = await makeDir();
    const file = join(dir, "sentinel.conf");
    writeFileSync(
      file,
      [`port ${port}`, "bind 127.0.0.1", ...settings.map((line) => `sentinel ${line}`), ""].join("\n"),
    );
    await startServer({ dir, port, isSentinel: true, args: [file] });
  }
  await Promise.all(ports.map(untilKnown));
  return ports;
}

/** Waits until a Sentinel sees the master, and knows the others and the replica. */
async function untilKnown(port: number): Promise<void> {
  const redis = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on("error", () => undefined);
  const known = new RegExp(`name=mymaster,status=ok,.*slaves=1,sentinels=${SENTINELS}`);
  await untilInfo(redis, known).finally(() => redis.disconnect());
}

async function startCluster(): Promise<RedisServer[]> {
  const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
  const nodes = await Promise.all(Array.from({ length: 3 }, () => startServer({ args })));
  const share = Math.ceil(SLOTS / nodes.length);
  await Promise.all(
    nodes.map(async ({ admin, port }, i) => {
      await admin.cluster("SET-CONFIG-EPOCH", i + 1);
      await admin.call("CLUSTER", "ADDSLOTSRANGE", i * share, Math.min(SLOTS, (i + 1) * share) - 1);
      await nodes[0]?.admin.cluster("MEET", "127.0.0.1", port);
    }),
  );
  await Promise.all(
    nodes.map(({ admin }) =>
      eventually(async () => (await admin.cluster("INFO")).includes("cluster_state:ok"), { timeoutMs: 15_000 }),
    ),
  );
  return nodes;
}
