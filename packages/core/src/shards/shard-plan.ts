import { concatBytes } from "../jsonl/line-splitter.ts";
import { ShardError } from "./shard-error.ts";

/** Records of one shard: a stretch of the record stream. */
export interface ShardRange {
  /** Offset of the first byte of the first record. */
  byteStart: number;
  /** Offset behind the last record, its newline included. */
  byteEnd: number;
  /** Index of the first record, from 0. */
  recordStart: number;
  recordCount: number;
}

/** Bytes before the first entry of a shard plan: four of magic, four of version. */
export const SHARD_PLAN_HEADER_BYTES = 8;

/** Bytes of one entry of a shard plan: the four numbers of a {@link ShardRange} as little-endian float64. */
export const SHARD_PLAN_ENTRY_BYTES = 32;

/** "FFSP", read as a little-endian number. */
const MAGIC = 0x50534646;
const VERSION = 1;
const INITIAL_ENTRIES = 64;
/** Bytes after which the entries go on in another piece: a whole plan may be too large to be hashed or copied at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Collects ranges into a shard plan as they are cut, 32 bytes a shard.
 *
 * Entry `i` of the plan lies at {@link SHARD_PLAN_HEADER_BYTES} + `i` · {@link SHARD_PLAN_ENTRY_BYTES}, so one entry
 * can be read without the rest.
 */
export class ShardPlanEncoder {
  readonly #full: Uint8Array[] = [];
  #piece = new Uint8Array(SHARD_PLAN_HEADER_BYTES + INITIAL_ENTRIES * SHARD_PLAN_ENTRY_BYTES);
  #view = viewOf(this.#piece);
  #size = SHARD_PLAN_HEADER_BYTES;
  #shardCount = 0;

  constructor() {
    this.#view.setUint32(0, MAGIC, true);
    this.#view.setUint32(4, VERSION, true);
  }

  /** Appends the range of the next shard. */
  add(range: ShardRange): void {
    if (this.#size + SHARD_PLAN_ENTRY_BYTES > this.#piece.length) this.#makeRoom();
    this.#view.setFloat64(this.#size, range.byteStart, true);
    this.#view.setFloat64(this.#size + 8, range.byteEnd, true);
    this.#view.setFloat64(this.#size + 16, range.recordStart, true);
    this.#view.setFloat64(this.#size + 24, range.recordCount, true);
    this.#size += SHARD_PLAN_ENTRY_BYTES;
    this.#shardCount += 1;
  }

  /** Shards added so far. */
  get shardCount(): number {
    return this.#shardCount;
  }

  /** The plan of the shards added so far, in pieces of about a megabyte. They are the encoder's own: do not change them. */
  *pieces(): Generator<Uint8Array, void, undefined> {
    yield* this.#full;
    yield this.#piece.subarray(0, this.#size);
  }

  #makeRoom(): void {
    const isFull = this.#size >= PIECE_BYTES;
    if (isFull) this.#full.push(this.#piece.subarray(0, this.#size));
    const piece = new Uint8Array(isFull ? PIECE_BYTES : 2 * this.#piece.length);
    if (isFull) this.#size = 0;
    else piece.set(this.#piece);
    this.#piece = piece;
    this.#view = viewOf(piece);
  }
}

/** Shard plan of ranges given in shard order. */
export function encodeShardPlan(ranges: Iterable<ShardRange>): Uint8Array {
  const encoder = new ShardPlanEncoder();
  for (const range of ranges) encoder.add(range);
  return concatBytes([...encoder.pieces()]);
}

/**
 * Number of shards in a shard plan.
 *
 * @throws {ShardError} `INVALID_SHARD_PLAN` when the bytes are not a whole plan of this version
 */
export function shardPlanLength(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  const length = (bytes.length - SHARD_PLAN_HEADER_BYTES) / SHARD_PLAN_ENTRY_BYTES;
  const isPlan = Number.isInteger(length) && length >= 0 && view.getUint32(0, true) === MAGIC;
  if (!isPlan) throw new ShardError("INVALID_SHARD_PLAN", `these ${bytes.length} bytes are not a shard plan`);
  const version = view.getUint32(4, true);
  if (version === VERSION) return length;
  throw new ShardError("INVALID_SHARD_PLAN", `shard plan has version ${version}, this release reads ${VERSION}`);
}

/**
 * Range of one shard of a whole shard plan.
 *
 * @throws {ShardError} `SHARD_NOT_IN_PLAN` when the plan has no such shard, `INVALID_SHARD_PLAN` when it is no plan
 */
export function decodeShardRange(bytes: Uint8Array, shardIndex: number): ShardRange {
  const length = shardPlanLength(bytes);
  if (!Number.isInteger(shardIndex) || shardIndex < 0 || shardIndex >= length) {
    throw new ShardError("SHARD_NOT_IN_PLAN", `shard ${shardIndex} is not in the shard plan, which has ${length}`);
  }
  const start = SHARD_PLAN_HEADER_BYTES + shardIndex * SHARD_PLAN_ENTRY_BYTES;
  return decodeShardEntry(bytes.subarray(start, start + SHARD_PLAN_ENTRY_BYTES));
}

/**
 * Range of a shard whose entry was read alone, by its offset.
 *
 * @throws {ShardError} `INVALID_SHARD_PLAN` when these are not the bytes of an entry
 */
export function decodeShardEntry(entry: Uint8Array): ShardRange {
  if (entry.length !== SHARD_PLAN_ENTRY_BYTES) {
    throw new ShardError(
      "INVALID_SHARD_PLAN",
      `an entry of a shard plan has ${SHARD_PLAN_ENTRY_BYTES} bytes, got ${entry.length}`,
    );
  }
  const view = viewOf(entry);
  return {
    byteStart: view.getFloat64(0, true),
    byteEnd: view.getFloat64(8, true),
    recordStart: view.getFloat64(16, true),
    recordCount: view.getFloat64(24, true),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
