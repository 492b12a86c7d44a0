import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { eventually } from "./eventually.ts";

/** A redis-server of the test's own. */
export interface TestRedis {
  readonly socketPath: string;
  readonly url: string;
  /** Kills the server and starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a redis-server on a Unix socket and a free loopback port, with an append-only file. */
export async function startRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "fanfold-test-redis-"));
  const socketPath = join(dir, "redis.sock");
  const port = await freePort();
  let server = await launch(dir, socketPath, port);
  return {
    socketPath,
    url: `redis://127.0.0.1:${port}`,
    async restart() {
      await end(server, "SIGKILL");
      server = await launch(dir, socketPath, port);
    },
    async stop() {
      await end(server, "SIGTERM");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function launch(dir: string, socketPath: string, port: number): Promise<ChildProcess> {
  const options = `--port ${port} --bind 127.0.0.1 --unixsocket ${socketPath} --dir ${dir} --save  --appendonly yes --hz 100`;
  const args = options.split(" ").map((text) => (text === "" ? "" : text));
  const server = spawn("redis-server", args, { stdio: "ignore" });
  await eventually(() => ping(socketPath));
  return server;
}

async function ping(socketPath: string): Promise<void> {
  const redis = new Redis(socketPath, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, "exit");
  server.kill(signal);
  await gone;
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
