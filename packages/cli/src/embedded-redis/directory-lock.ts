import { readdir, readlink, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import { systemErrorCode, unlessAbsent } from "./file-errors.ts";
import { pollFor } from "./poll-for.ts";
import { formatProcess, isProcessAlive, loadOwnProcess, parseProcess } from "./process-identity.ts";

/** Which directory holds the lock, and how long to wait for it. */
export interface DirectoryLockOptions {
  dir: string;
  limitMs: number;
}

const FREE = "free";
const POLL_INTERVAL_MS = 5;

/**
 * Runs `action` while no other process, and no other call of this one, runs its own under the same directory,
 * which must exist.
 *
 * The lock is a symbolic link `<dir>/<generation>` whose target names the holder: created with its content in
 * one step. A lock whose holder has died is taken over by creating the next generation, never by removing the
 * dead one first, so two takers cannot both win. Invariants:
 *  1. The highest generation never decreases: a link is removed only while a higher one exists, or by the call that
 *     created it and found a higher one.
 *  2. A call holds the lock only if, after creating its link, that link is the highest generation.
 *
 * @throws {EmbeddedRedisError} `LOCKED` when a living process keeps the lock longer than the limit
 */
export async function withDirectoryLock<T>(options: DirectoryLockOptions, action: () => Promise<T>): Promise<T> {
  const { dir, limitMs } = options;
  const me = formatProcess(await loadOwnProcess());
  const generation = await pollFor(() => tryAcquire(dir, me), { intervalMs: POLL_INTERVAL_MS, limitMs });
  if (generation === undefined) throw await lockedError(options);
  try {
    return await action();
  } finally {
    await release(dir, generation);
  }
}

async function tryAcquire(dir: string, me: string): Promise<number | undefined> {
  const highest = await findHighest(dir);
  if (highest > 0 && (await isHeld(dir, highest))) return undefined;
  const mine = highest + 1;
  if (!(await createLink(me, linkPath(dir, mine)))) return undefined;
  if ((await findHighest(dir)) > mine) {
    await unlessAbsent(unlink(linkPath(dir, mine)));
    return undefined;
  }
  await removeBelow(dir, mine);
  return mine;
}

/** Nothing to do when somebody removed the whole directory in the meantime. */
async function release(dir: string, generation: number): Promise<void> {
  await unlessAbsent(createLink(FREE, linkPath(dir, generation + 1)));
  await unlessAbsent(unlink(linkPath(dir, generation)));
}

/** A link that vanishes while it is read was replaced by a higher one: look again. */
async function isHeld(dir: string, generation: number): Promise<boolean> {
  const holder = await unlessAbsent(readlink(linkPath(dir, generation)));
  if (holder === undefined) return true;
  const identity = parseProcess(holder);
  return identity !== undefined && (await isProcessAlive(identity));
}

async function createLink(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function listGenerations(dir: string): Promise<number[]> {
  return (await readdir(dir)).map(Number).filter(Number.isSafeInteger);
}

async function findHighest(dir: string): Promise<number> {
  return Math.max(0, ...(await listGenerations(dir)));
}

async function removeBelow(dir: string, generation: number): Promise<void> {
  const outdated = (await listGenerations(dir)).filter((other) => other < generation);
  await Promise.all(outdated.map((other) => unlessAbsent(unlink(linkPath(dir, other)))));
}

function linkPath(dir: string, generation: number): string {
  return join(dir, String(generation));
}

async function lockedError({ dir, limitMs }: DirectoryLockOptions): Promise<EmbeddedRedisError> {
  const holder = await unlessAbsent(readlink(linkPath(dir, await findHighest(dir))));
  const pid = parseProcess(holder ?? "")?.pid ?? "unknown";
  return new EmbeddedRedisError(
    "LOCKED",
    `process ${pid} has kept ${dir} locked for ${limitMs / 1_000} s, starting or stopping the embedded Redis; wait for it or end it, then try again`,
  );
}
