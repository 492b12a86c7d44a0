import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ArtifactStore, ByteRange, Enrolment, RemovedFiles, StoredArtifact } from "./artifact-store.ts";
import { ArtifactFiles } from "./artifact-files.ts";
import { isMissing } from "./file-errors.ts";
import { StoreError } from "../store-error.ts";
import { type HashedFile, VerifyingReader } from "./verified-file.ts";

/**
 * Artifacts as files of a directory that every process of the deployment sees: `sha256/<ab>/<hash>`.
 *
 * 1. A file is written under another name, brought to the disk, and moved into place: it is there whole, or not at all.
 * 2. What is read is verified against its hash.
 */
export class FileArtifactStore implements ArtifactStore {
  readonly #files: ArtifactFiles;
  readonly #reader = new VerifyingReader();

  constructor(dir: string) {
    this.#files = new ArtifactFiles(dir);
  }

  async put(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredArtifact> {
    const { incoming } = this.#files;
    await mkdir(incoming, { recursive: true });
    const temporary = join(incoming, randomUUID());
    try {
      const stored = await writeHashed(temporary, chunks);
      const path = this.#files.path(stored.sha256);
      await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
      await syncDirectory(dirname(path));
      return stored;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async *stream(sha256: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    if (range !== undefined && range.end <= range.start) return;
    const source = await this.#open(sha256);
    try {
      if (range === undefined) yield* this.#reader.readAll(source);
      else yield* this.#reader.readRange(source, range);
    } finally {
      await source.file.close();
    }
  }

  renew(sha256: string): Promise<boolean> {
    return this.#files.renew(sha256);
  }

  /** A directory is made with the first put. */
  check(): Promise<void> {
    return Promise.resolve();
  }

  locate(sha256: string): string {
    return `file:${resolve(this.#files.path(sha256))}`;
  }

  nowMs(): Promise<number> {
    return this.#files.nowMs();
  }

  list(): AsyncIterable<string> {
    return this.#files.list();
  }

  remove(sha256: string, putBeforeMs: number, options: { dryRun: boolean }): Promise<number | undefined> {
    return this.#files.remove(sha256, putBeforeMs, options);
  }

  removeLeftovers(writtenBeforeMs: number, options: { dryRun: boolean }): Promise<RemovedFiles> {
    return this.#files.removeLeftovers(writtenBeforeMs, options);
  }

  enrol(id: string, label: string): Promise<void> {
    return this.#files.enrol(id, label);
  }

  listEnrolled(): Promise<Enrolment[]> {
    return this.#files.listEnrolled();
  }

  /** Once a file is open its bytes stay readable to the end, even if it is removed meanwhile. */
  async #open(sha256: string): Promise<HashedFile> {
    const path = this.#files.path(sha256);
    try {
      return { file: await open(path, "r"), path, sha256 };
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      const why = "its run was removed, or this process does not see the artifact store of the others";
      throw new StoreError("ARTIFACT_NOT_FOUND", `artifact ${sha256} is not at ${path}: ${why}`, { cause });
    }
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
    // Redis may have the record on its disk a second later: then the bytes must be on ours
    await file.datasync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest("hex"), size_bytes: sizeBytes };
}

/** Makes a move durable, where directories can be synced. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}
