import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** Content up to this size waits in memory for its hash, in bytes; larger one in a file. */
const IN_MEMORY_BYTES = 1024 * 1024;

/** Content that was read to its end, so that its hash is known, and can be read again. */
export interface SpooledContent {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The bytes, or a stream of them from their beginning; one at a time. */
  content(): Uint8Array | Readable;
  /** Lets go of them. */
  dispose(): Promise<void>;
}

/**
 * Reads a stream to its end in bounded memory. A large one goes to a file of the temporary directory that has no name
 * any more, so that a process that is killed leaves nothing behind.
 */
export async function spool(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<SpooledContent> {
  const hash = createHash("sha256");
  const head: Uint8Array[] = [];
  let sizeBytes = 0;
  let file: FileHandle | undefined;
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      if (file === undefined && sizeBytes <= IN_MEMORY_BYTES) {
        head.push(chunk);
        continue;
      }
      if (file === undefined) {
        file = await openNameless();
        for (const piece of head.splice(0)) await file.writeFile(piece);
      }
      await file.writeFile(chunk);
    }
  } catch (error) {
    await file?.close();
    throw error;
  }
  const written = file;
  return {
    sha256: hash.digest("hex"),
    sizeBytes,
    content: () => written?.createReadStream({ start: 0, autoClose: false }) ?? Buffer.concat(head),
    dispose: async () => written?.close(),
  };
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `fanfold-spool-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path, { force: true });
  return file;
}
