import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "./process-identity.ts";

/** Which server process serves a data directory, and where. */
export interface ServerRecord {
  process: ProcessIdentity;
  socketPath: string;
}

const RECORD_NAME = "server.json";

/**
 * Record of the server started last for this directory, be it alive or not.
 *
 * @returns `undefined` when there is none, or when it speaks of another directory, as in the copy of a project
 */
export function loadServerRecord(dir: string): ServerRecord | undefined {
  try {
    return parseRecord(JSON.parse(readFileSync(join(dir, RECORD_NAME), "utf8")), identifyDirectory(dir));
  } catch {
    return undefined;
  }
}

/** Writes the record in place of the one before. */
export function saveServerRecord(dir: string, record: ServerRecord): void {
  const { pid, started } = record.process;
  const fields = { pid, started, socket_path: record.socketPath, directory: identifyDirectory(dir) };
  writeFileSync(join(dir, RECORD_NAME), `${JSON.stringify(fields)}\n`, { mode: 0o600 });
}

/** Removes the record, if there is one. */
export function removeServerRecord(dir: string): void {
  rmSync(join(dir, RECORD_NAME), { force: true });
}

/** The same for a directory that was moved, another for its copy. */
function identifyDirectory(dir: string): string {
  const { dev, ino } = statSync(dir);
  return `${dev}:${ino}`;
}

function parseRecord(fields: unknown, directory: string): ServerRecord | undefined {
  if (typeof fields !== "object" || fields === null) return undefined;
  if (!("directory" in fields && fields.directory === directory)) return undefined;
  if (!("pid" in fields && typeof fields.pid === "number")) return undefined;
  if (!("started" in fields && typeof fields.started === "string")) return undefined;
  if (!("socket_path" in fields && typeof fields.socket_path === "string")) return undefined;
  return { process: { pid: fields.pid, started: fields.started }, socketPath: fields.socket_path };
}
