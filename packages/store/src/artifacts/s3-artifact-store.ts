import { createHash, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { StoreError } from "../store-error.ts";
import type { ArtifactStore, ByteRange, Enrolment, RemovedFiles, StoredArtifact } from "./artifact-store.ts";
import { corruptArtifact } from "./corrupt-artifact.ts";
import type { S3Location } from "./s3-location.ts";
import { type S3Body, S3Objects } from "./s3-objects.ts";
import { isRemovalMark, S3RemovalMarks } from "./s3-removal-marks.ts";
import { spool } from "./spooled-content.ts";
import { VerifiedVersions } from "./verified-versions.ts";

const HASH_KEY = /^sha256\/[0-9a-f]{2}\/([0-9a-f]{64})$/;
/** Largest object that is verified as a whole before a range of it is read, in bytes. */
const VERIFY_BEFORE_RANGE_BYTES = 64 * 1024 * 1024;
/** How often reading goes on where a connection was cut, without a byte in between. */
const RESUMPTIONS = 3;

/**
 * Artifacts as objects of an S3-compatible service: `sha256/<ab>/<hash>` below the prefix.
 *
 * 1. An object is there whole or not at all; putting it again renews its time.
 * 2. What is read is verified against its hash: a whole object as it is read, a range by verifying the object first,
 *    once as long as it does not change. Of an object above 64 MiB a range is only checked for its length.
 * 3. A read whose connection is cut goes on where it stopped.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly #objects: S3Objects;
  readonly #marks: S3RemovalMarks;
  readonly #verified = new VerifiedVersions();

  constructor(location: S3Location) {
    this.#objects = new S3Objects(location);
    this.#marks = new S3RemovalMarks(this.#objects);
  }

  async put(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredArtifact> {
    const spooled = await spool(chunks);
    try {
      const key = keyOf(spooled.sha256);
      await this.#marks.guardPut(key, () => this.#objects.put(key, spooled.content(), spooled.sizeBytes));
      return { sha256: spooled.sha256, size_bytes: spooled.sizeBytes };
    } finally {
      await spooled.dispose();
    }
  }

  async *stream(sha256: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    if (range === undefined) yield* this.#readAll(sha256);
    else if (range.end > range.start) yield* this.#readRange(sha256, range);
  }

  async check(): Promise<void> {
    await this.#objects.list("deployments/").next();
  }

  locate(sha256: string): string {
    return this.#objects.describe(keyOf(sha256));
  }

  /** The time as the service tells it, to the second. */
  async nowMs(): Promise<number> {
    const probe = `incoming/probe-${randomUUID()}`;
    await this.#objects.put(probe, new Uint8Array(), 0);
    const head = await this.#objects.findHead(probe);
    await this.#objects.remove(probe);
    return head?.putAtMs ?? 0;
  }

  async *list(): AsyncGenerator<string> {
    for await (const key of this.#objects.list("sha256/")) {
      const hash = HASH_KEY.exec(key)?.[1];
      if (hash !== undefined) yield hash;
    }
  }

  async remove(sha256: string, putBeforeMs: number, { dryRun }: { dryRun: boolean }): Promise<number | undefined> {
    const key = keyOf(sha256);
    const head = await this.#objects.findHead(key);
    if (head === undefined || head.putAtMs >= putBeforeMs) return undefined;
    return dryRun ? head.sizeBytes : this.#marks.remove(key, putBeforeMs);
  }

  /** Uploads that were never completed, probes, and marks of removers that died. */
  async removeLeftovers(writtenBeforeMs: number, options: { dryRun: boolean }): Promise<RemovedFiles> {
    let { files, bytes } = await this.#objects.abortUploads(writtenBeforeMs, options);
    for await (const key of this.#listLeftovers()) {
      const head = await this.#objects.findHead(key);
      if (head === undefined || head.putAtMs >= writtenBeforeMs) continue;
      if (!options.dryRun) await this.#objects.remove(key);
      files += 1;
      bytes += head.sizeBytes;
    }
    return { files, bytes };
  }

  async *#listLeftovers(): AsyncGenerator<string> {
    yield* this.#objects.list("incoming/");
    for await (const key of this.#objects.list("sha256/")) if (isRemovalMark(key)) yield key;
  }

  async enrol(id: string, label: string): Promise<void> {
    const text = Buffer.from(`${label}\n`);
    await this.#objects.put(`deployments/${id}`, text, text.byteLength);
  }

  async listEnrolled(): Promise<Enrolment[]> {
    const enrolled: Enrolment[] = [];
    for await (const key of this.#objects.list("deployments/")) {
      const found = await this.#objects.open(key);
      if (typeof found === "string") continue;
      const label = (await buffer(found.body)).toString("utf8").trim();
      enrolled.push({ id: key.slice("deployments/".length), label, entry: this.#objects.describe(key) });
    }
    return enrolled;
  }

  /** @returns the version of the object that was read, once its bytes are known to be right */
  async *#readAll(sha256: string): AsyncGenerator<Uint8Array, string> {
    const first = await this.#open(sha256);
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of this.#readOn(sha256, first, { start: 0, end: first.sizeBytes })) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      yield chunk;
    }
    const found = hash.digest("hex");
    if (found !== sha256) throw this.#corrupt(sha256, `holds ${sizeBytes} bytes with hash ${found}`);
    this.#verified.remember(sha256, first.etag);
    return first.etag;
  }

  async *#readRange(sha256: string, range: ByteRange): AsyncGenerator<Uint8Array> {
    let opened = await this.#open(sha256, range);
    while (!this.#isTrusted(sha256, opened)) {
      opened.body.destroy();
      const chunks = this.#readAll(sha256);
      let read = await chunks.next();
      while (read.done !== true) read = await chunks.next();
      opened = await this.#open(sha256, range);
    }
    if (opened.sizeBytes < range.end) {
      opened.body.destroy();
      throw this.#corrupt(sha256, `ends at byte ${opened.sizeBytes}, before byte ${range.end} that is wanted`);
    }
    yield* this.#readOn(sha256, opened, range);
  }

  #isTrusted(sha256: string, { sizeBytes, etag }: S3Body): boolean {
    return sizeBytes > VERIFY_BEFORE_RANGE_BYTES || this.#verified.has(sha256, etag);
  }

  /** Reads what was opened to the end of the range, also over several connections. */
  async *#readOn(sha256: string, opened: S3Body, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
    let { body } = opened;
    let position = start;
    for (let cuts = 0; ; ) {
      try {
        for await (const chunk of body) {
          const bytes: Uint8Array = chunk;
          position += bytes.byteLength;
          cuts = 0;
          yield bytes;
        }
        if (position >= end) return;
        throw new Error(`the connection ended at byte ${position} of ${end}`);
      } catch (error) {
        cuts += 1;
        if (position >= end) return;
        if (cuts > RESUMPTIONS) throw this.#objects.failure("read", keyOf(sha256), error);
      } finally {
        body.destroy();
      }
      const next = await this.#open(sha256, { start: position, end });
      if (next.etag !== opened.etag) {
        next.body.destroy();
        throw this.#corrupt(sha256, "was changed while it was read");
      }
      body = next.body;
    }
  }

  /** @throws {StoreError} ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT when it is shorter than the range */
  async #open(sha256: string, range?: { start: number; end: number }): Promise<S3Body> {
    const found = await this.#objects.open(keyOf(sha256), range);
    if (found === "beyond") {
      throw this.#corrupt(sha256, `ends before byte ${range?.end ?? 0} that is wanted`);
    }
    if (found !== "missing") return found;
    const why = "its run was removed, or this process does not use the artifact store of the others";
    const where = this.#objects.describe(keyOf(sha256));
    throw new StoreError("ARTIFACT_NOT_FOUND", `artifact ${sha256} is not at ${where}: ${why}`);
  }

  #corrupt(sha256: string, what: string): StoreError {
    return corruptArtifact(sha256, this.#objects.describe(keyOf(sha256)), what);
  }
}

function keyOf(sha256: string): string {
  return `sha256/${sha256.slice(0, 2)}/${sha256}`;
}
