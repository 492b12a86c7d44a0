import { createHash, type Hash } from "node:crypto";
import type { ShardRange } from "../shards/shard-plan.ts";

/** Bytes of one hash among those of {@link RangeHasher.end}. */
export const RECORDS_HASH_BYTES = 32;

/**
 * Hashes the records of every shard while they pass by, in constant memory apart from the hashes.
 */
export class RangeHasher {
  readonly #ranges: Iterator<ShardRange>;
  #range: ShardRange | undefined;
  #hash: Hash = createHash("sha256");
  #offset = 0;
  readonly #digests: Uint8Array[] = [];

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
      this.#digests.push(this.#hash.digest());
      this.#hash = createHash("sha256");
      this.#next();
    }
  }

  /** The sha256 of each shard's bytes, {@link RECORDS_HASH_BYTES} each, in shard order. */
  end(): Uint8Array {
    while (this.#range !== undefined) {
      this.#digests.push(this.#hash.digest());
      this.#hash = createHash("sha256");
      this.#next();
    }
    return Buffer.concat(this.#digests);
  }

  #next(): void {
    const next = this.#ranges.next();
    this.#range = next.done === true ? undefined : next.value;
  }
}

/** Hash of one shard's records, in hexadecimal. */
export function recordsHashOf(hashes: Uint8Array, shard: number): string {
  const start = shard * RECORDS_HASH_BYTES;
  return Buffer.from(hashes.subarray(start, start + RECORDS_HASH_BYTES)).toString("hex");
}
