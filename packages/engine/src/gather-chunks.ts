/** Size from which on a chunk is worth writing by itself, in bytes. */
const WORTH_WRITING_BYTES = 64 * 1024;

/** The same bytes in fewer chunks: small ones are put together, since writing each costs as much as writing many. */
export async function* gatherChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < WORTH_WRITING_BYTES) continue;
    yield gathered.length === 1 ? chunk : Buffer.concat(gathered, bytes);
    gathered = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(gathered, bytes);
}
