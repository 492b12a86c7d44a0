import { rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import { endProcess, waitForProcessEnd } from "./process-identity.ts";
import { sendRedisCommand } from "./send-redis-command.ts";
import { removeServerRecord, type ServerRecord } from "./server-record.ts";

const SHUTDOWN_LIMIT_MS = 10_000;
const TERM_GRACE_MS = 2_000;

/**
 * Stops a server and waits until its process has ended: by `SHUTDOWN`, which writes out the append-only file,
 * else by signals. Its data stays.
 *
 * @throws {EmbeddedRedisError} `STOP_FAILED` when the process survives even KILL
 */
export async function stopServer(dir: string, record: ServerRecord): Promise<void> {
  const outcome = await sendRedisCommand(record.socketPath, "SHUTDOWN", SHUTDOWN_LIMIT_MS);
  const isShuttingDown = outcome.status === "closed";
  const hasEnded = isShuttingDown && (await waitForProcessEnd(record.process, SHUTDOWN_LIMIT_MS));
  if (!hasEnded) await killServer(dir, record);
  else await removeTraces(dir, record);
}

/**
 * Ends a server that does not answer, by signals. What it had acknowledged is in its append-only file.
 *
 * @throws {EmbeddedRedisError} `STOP_FAILED` when the process survives even KILL
 */
export async function killServer(dir: string, record: ServerRecord): Promise<void> {
  if (!(await endProcess(record.process, TERM_GRACE_MS))) {
    throw new EmbeddedRedisError(
      "STOP_FAILED",
      `redis-server (pid ${record.process.pid}) of ${dir} does not end, not even by KILL; end it yourself before you use this directory again`,
    );
  }
  await removeTraces(dir, record);
}

async function removeTraces(dir: string, { socketPath }: ServerRecord): Promise<void> {
  removeServerRecord(dir);
  await rm(socketPath, { force: true });
  // Only a socket directory of its own is empty now; the data directory is not, and stays.
  if (dirname(socketPath) !== dir) await rmdir(dirname(socketPath)).catch(() => undefined);
}
