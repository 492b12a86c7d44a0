import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/** Most files that are removed at once, and how large each may be, in bytes: what the system does without waiting. */
const FEW_FILES = 8;
const SMALL_BYTES = 1024 * 1024;

/** Removes the directory of an attempt, if it was made: at once when little is in it, which is what most leave. */
export async function removeScratch(dir: string): Promise<void> {
  if (!removeSmall(dir)) await rm(dir, { recursive: true, force: true });
}

/** @returns whether nothing is left to be removed */
function removeSmall(dir: string): boolean {
  try {
    const paths = readdirSync(dir).map((name) => join(dir, name));
    if (paths.length > FEW_FILES || !paths.every(isSmallFile)) return false;
    for (const path of paths) unlinkSync(path);
    rmdirSync(dir);
    return true;
  } catch {
    return false;
  }
}

function isSmallFile(path: string): boolean {
  const stat = lstatSync(path);
  return stat.isFile() && stat.size <= SMALL_BYTES;
}
