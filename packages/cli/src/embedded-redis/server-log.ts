import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The log of one server: a file, and where in it this server began to write. */
export interface ServerLog {
  path: string;
  startOffset: number;
}

const LOG_NAME = "redis.log";
/** A log that has grown beyond this starts afresh with the next server. */
const MAX_LOG_BYTES = 1_048_576;

/** Opens the log of `dir` for appending while `use` runs, which hands the descriptor to the server. */
export async function withServerLog<T>(
  dir: string,
  use: (descriptor: number, log: ServerLog) => Promise<T>,
): Promise<T> {
  const path = join(dir, LOG_NAME);
  const descriptor = openSync(path, isOvergrown(path) ? "w" : "a", 0o600);
  try {
    return await use(descriptor, { path, startOffset: fstatSync(descriptor).size });
  } finally {
    closeSync(descriptor);
  }
}

/** What this server has written so far, as lines. */
export async function loadServerLog({ path, startOffset }: ServerLog): Promise<string[]> {
  const bytes = await readFile(path);
  const lines = bytes.subarray(startOffset).toString("utf8").split("\n");
  return lines.filter((line) => line.trim() !== "");
}

function isOvergrown(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
}
