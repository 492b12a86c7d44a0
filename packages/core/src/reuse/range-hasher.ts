import { createHash, type Hash } from "node:crypto";
import type { ShardRange } from "../shards/shard-plan.ts";

/** Bytes, which are characters, of one hash in the text of {@link RangeHasher.end}. */
export const RECORDS_HASH_BYTES = 64;

/**
 * Hashes the records of every shard while they pass by, in constant memory apart from the hashes.
 */
export class RangeHasher {
  readonly #ranges: Iterator<ShardRange>;
  #range: ShardRange | undefined;
  #hash: Hash = createHash("sha256");
  #offset = 0;
  readonly #digests: string[] = [];

  /** @param ranges ranges of the shards in the stream, rising and apart */
  constructor(ranges: Iterable<ShardRange>) {
    this.#ranges = ranges[Symbol.iterator]();
    this.#next();
  }

  /** Takes the next bytes of the stream. */
  push(chunk: Uint8Array): void {
    const start = this.#offset;
    this.#offset += chunk.byteLength;
    while (this.#range !== undefined && this.#range.byteStart < this.#offset) {
      const { byteStart, byteEnd } = this.#range;
      this.#hash.update(chunk.subarray(Math.max(0, byteStart - start), Math.min(chunk.byteLength, byteEnd - start)));
      if (byteEnd > this.#offset) return;
      this.#digests.push(this.#hash.digest("hex"));
      this.#hash = createHash("sha256");
      this.#next();
    }
  }

  /** The sha256 of each shard's bytes in shard order, in hexadecimal and without anything between them. */
  end(): string {
    while (this.#range !== undefined) {
      this.#digests.push(this.#hash.digest("hex"));
      this.#hash = createHash("sha256");
      this.#next();
    }
    return this.#digests.join("");
  }

  #next(): void {
    const next = this.#ranges.next();
    this.#range = next.done === true ? undefined : next.value;
  }
}

/** Hash of one shard's records, of the text of all of them. */
export function recordsHashOf(hashes: string, shard: number): string {
  return hashes.slice(shard * RECORDS_HASH_BYTES, (shard + 1) * RECORDS_HASH_BYTES);
}
