import { spawn } from "node:child_process";
import { once } from "node:events";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import type { RedisBinary } from "./find-redis-server.ts";
import { endProcess, findProcess, type ProcessIdentity } from "./process-identity.ts";
import { explainStartFailure } from "./start-failure.ts";
import { type ServerLog, withServerLog } from "./server-log.ts";
import { removeServerRecord, saveServerRecord } from "./server-record.ts";
import { type ServerInfo, waitForServer } from "./wait-for-server.ts";

/** Which server to start, and for which data. */
export interface StartServerOptions {
  dir: string;
  socketPath: string;
  binary: RedisBinary;
  /** Silence after which the start has failed. */
  limitMs: number;
  onLoading?: () => void;
}

interface SpawnedServer {
  log: ServerLog;
  hasExited: () => boolean;
  identity: ProcessIdentity;
}

/** Becomes the server, `$0` with its arguments, on a line of input, and ends without one. */
const AWAIT_GO_AHEAD = 'read -r go_ahead && exec "$0" "$@"';
const TERM_GRACE_MS = 2_000;

/**
 * Starts a server on the data of `dir` and waits until it answers. It outlives this process: it has a session
 * of its own, so that a Ctrl-C in the terminal does not reach it.
 *
 * @throws {EmbeddedRedisError} `START_FAILED` with the end of its log, or `DATA_DAMAGED`; no server is left behind
 */
export async function startServer(options: StartServerOptions): Promise<ServerInfo> {
  const server = await spawnServer(options);
  const readiness = await waitForServer({ ...options, isRunning: () => Promise.resolve(!server.hasExited()) });
  if (readiness.status === "ready") return readiness.info;
  await endProcess(server.identity, TERM_GRACE_MS);
  removeServerRecord(options.dir);
  throw await explainStartFailure({ ...options, readiness: readiness.status, log: server.log });
}

/** Arguments of an embedded server. Pure. */
function buildServerArguments({ dir, socketPath }: { dir: string; socketPath: string }): string[] {
  const settings: Record<string, string> = {
    port: "0",
    unixsocket: socketPath,
    unixsocketperm: "700",
    dir,
    daemonize: "no",
    logfile: "",
    save: "",
    appendonly: "yes",
    "aof-load-truncated": "yes",
    "maxmemory-policy": "noeviction",
    hz: "100",
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/**
 * Starts the process, held back until its record is written: whenever this process dies, either no server
 * comes to life, or the next to join knows of it. Two servers on the same data would spoil it.
 */
async function spawnServer(options: StartServerOptions): Promise<SpawnedServer> {
  const { dir, socketPath, binary } = options;
  return await withServerLog(dir, async (descriptor, log) => {
    const child = spawn("sh", ["-c", AWAIT_GO_AHEAD, binary.path, ...buildServerArguments(options)], {
      cwd: dir,
      detached: true,
      stdio: ["pipe", descriptor, descriptor],
    });
    await once(child, "spawn");
    child.unref();
    // A process that ended at once cannot be told to go ahead; waiting for the server will find out.
    child.stdin?.on("error", () => undefined);
    try {
      const identity = child.pid === undefined ? undefined : await findProcess(child.pid);
      if (identity === undefined) throw vanishedError(binary);
      saveServerRecord(dir, { process: identity, socketPath });
      child.stdin?.write("go\n");
      return { log, identity, hasExited: () => child.exitCode !== null || child.signalCode !== null };
    } finally {
      child.stdin?.end();
    }
  });
}

function vanishedError({ path }: RedisBinary): EmbeddedRedisError {
  return new EmbeddedRedisError("START_FAILED", `the process for ${path} ended before it could start; try again`);
}
