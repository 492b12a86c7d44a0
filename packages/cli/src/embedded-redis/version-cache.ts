import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What identifies one build of a binary without running it. */
export interface BinaryStamp {
  path: string;
  mtimeMs: number;
  size: number;
}

/** Version remembered for exactly this binary, or `undefined`. An unreadable cache counts as empty. */
export async function loadCachedVersion(file: string, stamp: BinaryStamp): Promise<string | undefined> {
  try {
    const [version, key] = (await readFile(file, "utf8")).split("\n");
    return key === stampKey(stamp) ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers the version of this binary in place of the one before. A cache that cannot be written is done without. */
export async function saveCachedVersion(file: string, stamp: BinaryStamp, version: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${version}\n${stampKey(stamp)}\n`);
  } catch {
    // The cache only saves a few milliseconds: the next look asks the binary again.
  }
}

function stampKey({ path, mtimeMs, size }: BinaryStamp): string {
  return `${mtimeMs} ${size} ${path}`;
}
