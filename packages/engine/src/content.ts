import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { type Artifact, type ArtifactMeta, type Content, MAX_INLINE_BYTES } from "@fanfold/schemas";
import type { ArtifactStore } from "@fanfold/store";
import { gatherChunks } from "./gather-chunks.ts";

/** Where the bytes of an artifact are. */
export function contentOf(artifact: Artifact): Content {
  if (artifact.inline !== undefined) return { inline: artifact.inline };
  return { sha256: artifact.sha256, size_bytes: artifact.size_bytes };
}

/** Names content, and gives it its hash where it was kept without one. */
export function artifactOf(name: string, content: Content, meta?: ArtifactMeta): Artifact {
  const said = meta === undefined ? {} : { meta };
  if (!("inline" in content)) return { name, ...content, ...said };
  const bytes = Buffer.from(content.inline, "utf8");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, sha256, size_bytes: bytes.byteLength, inline: content.inline, ...said };
}

/**
 * Keeps bytes: inline when they are few and valid UTF-8, in the artifact store otherwise.
 *
 * @param maxInlineBytes most bytes to keep inline
 */
export async function keepContent(
  store: ArtifactStore,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxInlineBytes: number = MAX_INLINE_BYTES,
): Promise<Content> {
  const head: Uint8Array[] = [];
  let headBytes = 0;
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    head.push(next.value);
    headBytes += next.value.byteLength;
    if (headBytes > maxInlineBytes) return store.put(gatherChunks(resume(head, iterator)));
  }
  const bytes = Buffer.concat(head);
  return isUtf8(bytes) ? { inline: bytes.toString("utf8") } : store.put([bytes]);
}

async function* resume(
  head: readonly Uint8Array[],
  rest: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
