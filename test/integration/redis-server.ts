import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@fanfold/testkit";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";

/** A redis-server of one test, stopped at its end. */
export interface RedisServer {
  readonly dir: string;
  readonly socketPath: string;
  readonly port: number;
  readonly pid: number;
  readonly url: string;
  /** A connection for the test itself, by the Unix socket. */
  readonly admin: Redis;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** How a server is started. */
export interface RedisServerOptions {
  /** Further arguments of redis-server. */
  readonly args?: readonly string[];
  readonly port?: number;
  readonly dir?: string;
  /** How the test itself logs in. */
  readonly password?: string;
  /** Is a Sentinel: its first argument is its configuration file. */
  readonly isSentinel?: boolean;
  /** Does not wait until it answers. */
  readonly isHurried?: boolean;
}

/** Starts a redis-server on a free loopback port and a Unix socket. */
export async function startServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { args = [], port = await freePort(), password } = options;
  const dir = options.dir ?? (await makeDir());
  const socketPath = join(dir, `s${port}.sock`);
  const ports = args.includes("--tls-cert-file")
    ? ["--port", "0", "--tls-port", String(port)]
    : ["--port", String(port)];
  const own = [...ports, "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"];
  const files = ["--unixsocket", socketPath, "--dir", dir, "--hz", "100", "--save", "", "--logfile", join(dir, "log")];
  const all = options.isSentinel === true ? [...args, "--sentinel"] : [...args, ...own, ...files];
  const server = spawn("redis-server", all, { stdio: "ignore" });
  const admin = new Redis(socketPath, {
    lazyConnect: true,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(password === undefined ? {} : { password }),
  });
  admin.on("error", () => undefined);
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, "exit");
    server.kill(signal);
    await gone;
  };
  onTestFinished(async () => {
    admin.disconnect();
    await kill("SIGKILL");
  });
  if (options.isHurried !== true && options.isSentinel !== true) await admin.ping();
  return { dir, socketPath, port, pid: server.pid ?? 0, url: `redis://127.0.0.1:${port}`, admin, kill };
}

/** A directory that is removed at the test's end. */
export async function makeDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "fanfold-redis-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A server of another kind on loopback, which treats every connection as told. */
export async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    onConnection(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return portOf(server.address());
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server.address());
  server.close();
  await once(server, "close");
  return port;
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Waits until a server says something of itself in INFO. */
export async function untilInfo(admin: Redis, pattern: RegExp): Promise<void> {
  await eventually(async () => pattern.test(await admin.info()), { timeoutMs: 15_000 });
}
