import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArtifactStore, ByteRange, StoredArtifact } from "./artifact-store.ts";
import { StoreError } from "./store-error.ts";

/** Artifacts as files of a directory that every process of the deployment sees: `sha256/<ab>/<hash>`. */
export class FileArtifactStore implements ArtifactStore {
  readonly #dir: string;
  readonly #verified = new Set<string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredArtifact> {
    const incoming = join(this.#dir, "incoming");
    await mkdir(incoming, { recursive: true });
    const temporary = join(incoming, randomUUID());
    try {
      const stored = await writeHashed(temporary, chunks);
      const path = this.#path(stored.sha256);
      await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
      return stored;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async *stream(sha256: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    if (range !== undefined && range.end <= range.start) return;
    const path = this.#path(sha256);
    await this.#mustExist(sha256);
    const options = range === undefined ? {} : { start: range.start, end: range.end - 1 };
    yield* createReadStream(path, options) as AsyncIterable<Uint8Array>;
  }

  async localFile(sha256: string): Promise<string> {
    await this.#mustExist(sha256);
    const path = this.#path(sha256);
    if (!this.#verified.has(sha256)) {
      await verify(path, sha256);
      this.#verified.add(sha256);
    }
    return path;
  }

  async #mustExist(sha256: string): Promise<void> {
    try {
      await access(this.#path(sha256));
    } catch (cause) {
      const where = `${this.#dir}; every worker and scheduler must see the same artifact store`;
      throw new StoreError("ARTIFACT_NOT_FOUND", `artifact ${sha256} is not in ${where}`, { cause });
    }
  }

  #path(sha256: string): string {
    return join(this.#dir, "sha256", sha256.slice(0, 2), sha256);
  }
}

async function writeHashed(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<StoredArtifact> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const file = await open(path, "wx", 0o444);
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return { sha256: hash.digest("hex"), size_bytes: sizeBytes };
}

async function verify(path: string, sha256: string): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) hash.update(chunk);
  const actual = hash.digest("hex");
  if (actual === sha256) return;
  const { size } = await stat(path);
  throw new StoreError(
    "ARTIFACT_CORRUPT",
    `${path} holds ${size} bytes with hash ${actual}, not ${sha256}; restore or remove the file`,
  );
}
