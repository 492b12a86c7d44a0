import * as fc from "fast-check";

/** Yields bytes in chunks of the given sizes, taken in turn. */
export async function* byteChunks(bytes: Uint8Array, sizes: readonly number[] = [7]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const end = at + Math.max(1, sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Yields the UTF-8 bytes of a text in small chunks. */
export function textChunks(text: string, sizes?: readonly number[]): AsyncGenerator<Uint8Array> {
  return byteChunks(new TextEncoder().encode(text), sizes);
}

/** Text of bytes, byte order marks included. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** All that an async iterable yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Sizes of chunks for {@link byteChunks}. */
export const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
