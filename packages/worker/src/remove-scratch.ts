import { existsSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/** Most files, and the largest, in bytes, that are removed at once: more would hold up everything else in this process. */
const FEW_FILES = 8;
const SMALL_FILE_BYTES = 64 * 1024;

/**
 * Removes the directory of an attempt and all that is in it; nothing when there is none. A few small files are removed at
 * once: a thread of the pool takes longer for each of them.
 */
export async function removeScratch(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  try {
    const names = readdirSync(dir);
    if (names.length <= FEW_FILES && names.every((name) => isSmallFile(join(dir, name)))) {
      for (const name of names) unlinkSync(join(dir, name));
      rmdirSync(dir);
      return;
    }
  } catch {
    // somebody is still at work in it
  }
  await rm(dir, { recursive: true, force: true });
}

function isSmallFile(path: string): boolean {
  const found = lstatSync(path);
  return !found.isDirectory() && found.size <= SMALL_FILE_BYTES;
}
