import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { ByteRange } from "./artifact-store.ts";
import { corruptArtifact } from "./corrupt-artifact.ts";
import { VerifiedVersions } from "./verified-versions.ts";

/** Bytes read at once. */
const CHUNK_BYTES = 256 * 1024;
/** Largest file that is verified as a whole before a range of it is read, in bytes: about a quarter of a second. */
const VERIFY_BEFORE_RANGE_BYTES = 256 * 1024 * 1024;

/** An open file that should hold the bytes of a hash. */
export interface HashedFile {
  readonly file: FileHandle;
  readonly path: string;
  readonly sha256: string;
}

/**
 * Reads files and verifies them against their hash: a whole file as it is read, a range by verifying the file first,
 * once as long as the file does not change. Of a file above 256 MiB a range is only checked for its length.
 */
export class VerifyingReader {
  readonly #verified = new VerifiedVersions();

  /** The whole file. @throws {StoreError} ARTIFACT_CORRUPT after the last chunk */
  async *readAll(source: HashedFile): AsyncGenerator<Uint8Array> {
    const hash = createHash("sha256");
    for (let position = 0; ; ) {
      const chunk = await readChunk(source.file, position, CHUNK_BYTES);
      if (chunk.byteLength === 0) break;
      hash.update(chunk);
      position += chunk.byteLength;
      yield chunk;
    }
    await this.#judge(source, hash.digest("hex"));
  }

  /** A range of the file. @throws {StoreError} ARTIFACT_CORRUPT */
  async *readRange(source: HashedFile, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
    await this.#verifyOnce(source);
    for (let position = start; position < end; ) {
      const chunk = await readChunk(source.file, position, Math.min(CHUNK_BYTES, end - position));
      if (chunk.byteLength === 0) throw corrupt(source, `ends at byte ${position}, before byte ${end} that is wanted`);
      position += chunk.byteLength;
      yield chunk;
    }
  }

  async #verifyOnce(source: HashedFile): Promise<void> {
    const { size } = await source.file.stat();
    if (size > VERIFY_BEFORE_RANGE_BYTES || this.#verified.has(source.sha256, await version(source.file))) return;
    const chunks = this.readAll(source);
    for (let read = await chunks.next(); read.done !== true; ) read = await chunks.next();
  }

  async #judge(source: HashedFile, found: string): Promise<void> {
    if (found !== source.sha256) {
      const { size } = await source.file.stat();
      throw corrupt(source, `holds ${size} bytes with hash ${found}`);
    }
    this.#verified.remember(source.sha256, await version(source.file));
  }
}

async function readChunk(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** What changes when somebody writes to the file or puts another in its place. */
async function version(file: FileHandle): Promise<string> {
  const { ino, size, mtimeMs } = await file.stat();
  return `${ino}.${size}.${mtimeMs}`;
}

function corrupt({ path, sha256 }: HashedFile, what: string): Error {
  return corruptArtifact(sha256, path, what);
}
