import type { ShardOutputs } from "../../src/merge/shard-outputs.ts";
import { concatBytes } from "../../src/jsonl/line-splitter.ts";
import { byteChunks, collect, textOf } from "../jsonl/byte-chunks.ts";

/** Shard outputs kept in memory, filled in any order as shards complete. Watches reads. */
export class MemoryOutputs implements ShardOutputs {
  readonly shards: readonly number[];
  readCount = 0;
  longestReadBytes = 0;
  readonly #bytes = new Map<number, Uint8Array>();
  readonly #sizes: readonly number[];

  /** @param missing shards that are left out */
  constructor(shardCount: number, sizes: readonly number[] = [7], missing: readonly number[] = []) {
    this.shards = Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => !missing.includes(shard));
    this.#sizes = sizes;
  }

  complete(shard: number, output: string | Uint8Array): void {
    this.#bytes.set(shard, typeof output === "string" ? new TextEncoder().encode(output) : output);
  }

  stream(shard: number): AsyncIterable<Uint8Array> {
    return byteChunks(this.#output(shard), this.#sizes);
  }

  async read(shard: number, start: number, end: number): Promise<Uint8Array> {
    this.readCount += 1;
    this.longestReadBytes = Math.max(this.longestReadBytes, end - start);
    return this.#output(shard).subarray(start, end);
  }

  #output(shard: number): Uint8Array {
    const bytes = this.#bytes.get(shard);
    if (bytes === undefined) throw new Error(`shard ${shard} has no output`);
    return bytes;
  }
}

/** Outputs of shards that all completed, in shard order. */
export function outputsOf(...texts: (string | Uint8Array)[]): MemoryOutputs {
  const outputs = new MemoryOutputs(texts.length, [64 * 1024]);
  for (const [shard, text] of texts.entries()) outputs.complete(shard, text);
  return outputs;
}

/** Outputs of which some are left out: `null` stands for a shard that failed. */
export function someOutputsOf(...texts: (string | null)[]): MemoryOutputs {
  const missing = texts.flatMap((text, shard) => (text === null ? [shard] : []));
  const outputs = new MemoryOutputs(texts.length, [64 * 1024], missing);
  for (const [shard, text] of texts.entries()) if (text !== null) outputs.complete(shard, text);
  return outputs;
}

/** Text of a folded result. */
export async function foldedText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  return textOf(concatBytes(await collect(chunks)));
}
