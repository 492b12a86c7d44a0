import { constants, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AttemptError, errorCode } from "./attempt-error.ts";
import type { AttemptArtifact } from "./attempt-spec.ts";
import { isInside } from "./contained-path.ts";
import { findFiles } from "./glob.ts";

/** Most files that one attempt may hand over, and most bytes in all of them. */
const MAX_FILES = 200;
const MAX_BYTES = 1024 * 1024 * 1024;

/** Where files are collected from and to. */
export interface CollectPlace {
  /** Real path of the working directory. */
  readonly cwd: string;
  /** Real path of what no file may be outside of. */
  readonly workspace: string;
  /** Directory for the copies. */
  readonly target: string;
}

/**
 * Copies the files that match the patterns, so that nothing that is done to them later can reach what is stored.
 *
 * @throws {AttemptError} PATH_OUTSIDE_WORKSPACE for a symlink that leads out, COLLECT_LIMIT for too many files or bytes
 */
export async function collectFiles(place: CollectPlace, patterns: readonly string[]): Promise<AttemptArtifact[]> {
  const names = await findFiles(place.cwd, patterns);
  const collected: AttemptArtifact[] = [];
  let leftBytes = MAX_BYTES;
  await mkdir(place.target, { recursive: true });
  for (const name of names) {
    const source = await openContained(place, name);
    if (source === undefined) continue;
    try {
      const { size } = await source.stat();
      leftBytes -= size;
      if (collected.length === MAX_FILES) throw tooMuch(`match more than ${MAX_FILES} files`);
      if (leftBytes < 0) throw tooMuch(`match more than ${MAX_BYTES / 1024 ** 3} GiB`);
      const file = join(place.target, String(collected.length));
      const range = { start: 0, end: Math.max(0, size - 1), autoClose: false };
      if (size === 0) await (await open(file, "w")).close();
      else await pipeline(source.createReadStream(range), createWriteStream(file));
      collected.push({ name, file });
    } finally {
      await source.close();
    }
  }
  return collected;
}

/** Opens a regular file inside the workspace; undefined when there is none. */
async function openContained({ cwd, workspace }: CollectPlace, name: string): Promise<FileHandle | undefined> {
  let file: FileHandle | undefined;
  try {
    const path = await realpath(join(cwd, name));
    if (!isInside(workspace, path)) {
      throw new AttemptError("PATH_OUTSIDE_WORKSPACE", `collect.files finds "${name}", a link out of the workspace`, {
        next_action: "copy the file into the workspace, or leave the link out of the patterns",
      });
    }
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file?.close();
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
  await file.close();
  return undefined;
}

function tooMuch(what: string): AttemptError {
  return new AttemptError("COLLECT_LIMIT", `the patterns of collect.files ${what}`, {
    next_action: "name fewer files, or pack them into one",
  });
}
