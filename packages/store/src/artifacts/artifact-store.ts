import type { Content } from "@fanfold/schemas";

/** Bytes of a range, end exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What {@link ArtifactStore.put} kept. */
export interface StoredArtifact {
  readonly sha256: string;
  readonly size_bytes: number;
}

/** What was removed of an artifact store. */
export interface RemovedFiles {
  readonly files: number;
  readonly bytes: number;
}

/** A deployment that writes to an artifact store. */
export interface Enrolment {
  /** Unique among all deployments. */
  readonly id: string;
  /** For people: where it is. */
  readonly label: string;
  /** What to remove to make the store forget a deployment that is no more. */
  readonly entry: string;
}

/**
 * Content-addressed bytes, shared by every process of a deployment. Writes are atomic: an artifact is
 * there whole or not at all, and putting the same bytes twice is harmless.
 */
export interface ArtifactStore extends ArtifactUpkeep {
  /** Streams bytes in, and keeps them durably. @returns their hash and size */
  put(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredArtifact>;
  /**
   * Streams bytes out, or a range of them. What is read to its end is verified: bytes that are not those of the hash
   * make the stream fail, so whatever it was written to is to be thrown away.
   *
   * @throws {StoreError} ARTIFACT_NOT_FOUND on the first read, ARTIFACT_CORRUPT at the latest at the end
   */
  stream(sha256: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  /**
   * Gives content the time of something that was just put, without reading it. A store that cannot has no such method:
   * then the content is put again.
   *
   * @returns whether it is there
   */
  renew?(sha256: string): Promise<boolean>;
  /** Looks whether the store can be used. @throws {StoreError} ARTIFACTS_REFUSED, ARTIFACTS_UNREACHABLE */
  check(): Promise<void>;
  /** Where the bytes of a hash are, or would be: `file:…` or `s3://…`. */
  locate(sha256: string): string;
}

/** What the removal of content that nothing refers to needs of an artifact store. */
export interface ArtifactUpkeep {
  /** The clock that stamps what is put, in Unix ms: nothing put from now on is older. */
  nowMs(): Promise<number>;
  /** Hashes of everything that is there; what comes or goes meanwhile may be missing. */
  list(): AsyncIterable<string>;
  /**
   * Removes an artifact, unless it was put (again) at or after a time.
   *
   * @param options `dryRun` only looks
   * @returns its size in bytes, or undefined when it stays or was not there
   */
  remove(sha256: string, putBeforeMs: number, options: { dryRun: boolean }): Promise<number | undefined>;
  /** Removes what writers that died left behind, if nothing was written to it since a time. */
  removeLeftovers(writtenBeforeMs: number, options: { dryRun: boolean }): Promise<RemovedFiles>;
  /** Notes that a deployment keeps content here: only one that is alone can tell what is used. */
  enrol(id: string, label: string): Promise<void>;
  /** The deployments that keep content here. */
  listEnrolled(): Promise<Enrolment[]>;
}

/** Streams content, wherever it is kept. */
export async function* streamContent(
  store: ArtifactStore,
  content: Content,
  range?: ByteRange,
): AsyncGenerator<Uint8Array> {
  if ("inline" in content) {
    const bytes = Buffer.from(content.inline, "utf8");
    yield range === undefined ? bytes : bytes.subarray(range.start, range.end);
  } else yield* store.stream(content.sha256, range);
}

/** Reads a range of content into memory. */
export async function readContent(store: ArtifactStore, content: Content, range?: ByteRange): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamContent(store, content, range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
