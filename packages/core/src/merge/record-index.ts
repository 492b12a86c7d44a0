const INITIAL_CAPACITY = 1024;

/**
 * Where each record of the shard outputs lies, 16 bytes a record. Records are numbered from 0 in the order they are
 * added, which is by shard and, within a shard, by position.
 */
export class RecordIndex {
  #shards = new Uint32Array(INITIAL_CAPACITY);
  #starts = new Float64Array(INITIAL_CAPACITY);
  #lengths = new Uint32Array(INITIAL_CAPACITY);
  #recordCount = 0;

  /** Adds a record, and gives its number. */
  add(shard: number, start: number, length: number): number {
    const record = this.#recordCount;
    if (record === this.#starts.length) this.#grow();
    this.#shards[record] = shard;
    this.#starts[record] = start;
    this.#lengths[record] = length;
    this.#recordCount = record + 1;
    return record;
  }

  /** Shard whose output holds a record. */
  shardOf(record: number): number {
    return this.#shards[record] ?? 0;
  }

  /** Offset of the first byte of a record in the output of its shard. */
  startOf(record: number): number {
    return this.#starts[record] ?? 0;
  }

  /** Bytes of a record, its newline excluded. */
  lengthOf(record: number): number {
    return this.#lengths[record] ?? 0;
  }

  /** Offset behind a record, its newline excluded. */
  endOf(record: number): number {
    return this.startOf(record) + this.lengthOf(record);
  }

  #grow(): void {
    const capacity = 2 * this.#starts.length;
    this.#shards = grownCopy(new Uint32Array(capacity), this.#shards);
    this.#starts = grownCopy(new Float64Array(capacity), this.#starts);
    this.#lengths = grownCopy(new Uint32Array(capacity), this.#lengths);
  }
}

function grownCopy<T extends Uint32Array | Float64Array>(larger: T, smaller: T): T {
  larger.set(smaller);
  return larger;
}
