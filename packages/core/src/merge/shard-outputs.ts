/**
 * Outputs of the shards of a phase, by shard index from 0. They do not change while they are folded, and may be read
 * more than once.
 */
export interface ShardOutputs {
  /** Indexes of the shards that have an output, rising; can be gone through more than once. */
  readonly shards: Iterable<number>;
  /** Whole output of a shard, in chunks of any size. */
  stream(shard: number): AsyncIterable<Uint8Array>;
  /** Bytes of the output of a shard from `start` up to, but without, `end`. */
  read(shard: number, start: number, end: number): Promise<Uint8Array>;
}
