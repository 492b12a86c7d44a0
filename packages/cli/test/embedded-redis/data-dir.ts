import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findRedisServer, type RedisBinary } from "../../src/embedded-redis/find-redis-server.ts";
import { endProcess, isProcessAlive, type ProcessIdentity } from "../../src/embedded-redis/process-identity.ts";
import { sendRedisCommand } from "../../src/embedded-redis/send-redis-command.ts";
import { loadServerRecord } from "../../src/embedded-redis/server-record.ts";
import { makeScratchDir } from "./scratch.ts";

const ANSWER_LIMIT_MS = 2_000;

/** The server that the machine has. */
export async function getInstalledBinary(): Promise<RedisBinary> {
  const found = await findRedisServer(process.env);
  if (found === undefined) throw new Error("these tests need a redis-server on PATH");
  return found;
}

/** A data directory of a project; a server that is left in it at the end of the test fails the test and is ended. */
export async function makeDataDir(project?: string): Promise<string> {
  const dir = join(project ?? (await makeScratchDir()), ".fanfold/redis");
  onTestFinished(async () => {
    const left = loadServerRecord(dir)?.process;
    if (left === undefined || !(await isProcessAlive(left))) return;
    await endProcess(left, 0);
    throw new Error(`the test left a server (pid ${left.pid}) in ${dir}`);
  });
  return dir;
}

/** The process of the server recorded for this directory. */
export async function getServer(dir: string): Promise<ProcessIdentity> {
  const recorded = loadServerRecord(dir)?.process;
  if (recorded === undefined || !(await isProcessAlive(recorded))) throw new Error(`no server runs for ${dir}`);
  return recorded;
}

/** Text of the server's answer, or how else the command ended. */
export async function ask({ socketPath }: { socketPath: string }, command: string): Promise<string> {
  const outcome = await sendRedisCommand(socketPath, command, ANSWER_LIMIT_MS);
  return "text" in outcome ? outcome.text : outcome.status;
}
