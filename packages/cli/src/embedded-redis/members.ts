import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "./file-errors.ts";
import { formatProcess, isProcessAlive, loadOwnProcess, parseProcess } from "./process-identity.ts";

const MEMBERS_DIR = "members";

/**
 * Writes down that this process uses the server of `dir`. A process may be a member several times.
 *
 * @returns the member's file, for {@link removeMember}
 */
export async function addMember(dir: string): Promise<string> {
  const file = join(dir, MEMBERS_DIR, `${process.pid}-${randomUUID()}`);
  await mkdir(join(dir, MEMBERS_DIR), { recursive: true });
  await writeFile(file, `${formatProcess(await loadOwnProcess())}\n`);
  return file;
}

/** Takes a member off the list; harmless when it is not on it. */
export async function removeMember(file: string): Promise<void> {
  await unlessAbsent(unlink(file));
}

/**
 * Whether any living process is a member; members that died without leaving are taken off the list.
 * To be called under the lock of `dir`.
 */
export async function hasLiveMembers(dir: string): Promise<boolean> {
  const names = (await unlessAbsent(readdir(join(dir, MEMBERS_DIR)))) ?? [];
  const lives = await Promise.all(names.map((name) => isLiveMember(join(dir, MEMBERS_DIR, name))));
  return lives.includes(true);
}

async function isLiveMember(file: string): Promise<boolean> {
  const identity = parseProcess((await unlessAbsent(readFile(file, "utf8"))) ?? "");
  if (identity !== undefined && (await isProcessAlive(identity))) return true;
  await removeMember(file);
  return false;
}
