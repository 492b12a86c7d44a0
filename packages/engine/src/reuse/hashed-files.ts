import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

interface HashedFile {
  readonly version: string;
  readonly sha256: string;
}

/** Files whose hashes are remembered; the one asked for least recently gives way. */
const KEPT_FILES = 5_000;

/** Hashes of files, which are read again only when they have changed. */
export class HashedFiles {
  readonly #files = new Map<string, HashedFile>();

  /** sha256 of a regular file, in hexadecimal; undefined when there is none. */
  async hash(path: string): Promise<string | undefined> {
    const version = await versionOf(path);
    if (version === undefined) return undefined;
    const known = this.#files.get(path);
    this.#files.delete(path);
    const file = known?.version === version ? known : { version, sha256: await hashFile(path) };
    this.#files.set(path, file);
    if (this.#files.size > KEPT_FILES) {
      const [oldest] = this.#files.keys();
      if (oldest !== undefined) this.#files.delete(oldest);
    }
    return file.sha256;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() === true ? `${found.ino}-${found.size}-${found.mtimeNs}-${found.ctimeNs}` : undefined;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
