import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ProgramStart } from "./command-process.ts";

/** What the system itself starts begins with this: `#!`, or the first bytes of an ELF file. */
const MAGIC: ReadonlySet<string> = new Set(["#!", "\x7fE"]);
const KEPT_PROGRAMS = 1_000;

/** Of what files it is known that the system starts them; by path, with what tells a version of the file. */
const known = new Map<string, string>();

/**
 * Path of a program that the system starts by itself. What is found is what a search of the system would find, in the
 * same order. It reads at once: the kernel has what it asks for in memory, and a thread of the pool takes longer.
 *
 * @returns undefined when there is none, or only one that a shell would have to read, and for anything unusual
 */
export function findStartable({ program, cwd, env }: ProgramStart): string | undefined {
  if (program.includes("/")) return isStartable(resolve(cwd, program)) ? resolve(cwd, program) : undefined;
  for (const dir of (env["PATH"] ?? "").split(":")) {
    const path = join(resolve(cwd, dir), program);
    if (isExecutable(path)) return isStartable(path) ? path : undefined;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isStartable(path: string): boolean {
  try {
    const stat = statSync(path);
    const version = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    if (known.get(path) === version) return true;
    if (!stat.isFile() || !MAGIC.has(readStart(path))) return false;
    if (known.size >= KEPT_PROGRAMS) known.clear();
    known.set(path, version);
    return true;
  } catch {
    return false;
  }
}

function readStart(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(2);
    return bytes.toString("latin1", 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}
