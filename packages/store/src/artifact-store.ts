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

/**
 * Content-addressed bytes, shared by every process of a deployment. Writes are atomic: an artifact is
 * there whole or not at all, and putting the same bytes twice is harmless.
 */
export interface ArtifactStore {
  /** Streams bytes in. @returns their hash and size */
  put(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredArtifact>;
  /** Streams bytes out, or a range of them. @throws {StoreError} ARTIFACT_NOT_FOUND on the first read */
  stream(sha256: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  /** A local file with these bytes, verified, which must not be changed. @throws {StoreError} ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT */
  localFile(sha256: string): Promise<string>;
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
