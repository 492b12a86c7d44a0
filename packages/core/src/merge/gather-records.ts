import { MergeError } from "./merge-error.ts";
import type { RecordIndex } from "./record-index.ts";
import type { ShardOutputs } from "./shard-outputs.ts";

const LINE_FEED = 0x0a;
/** Bytes of the result put together at a time: the larger, the more records one read serves. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** Longest stretch one read takes, unless a single record is longer. */
const MAX_READ_BYTES = 1024 * 1024;
/** Longest stretch of unwanted bytes that a read runs over, cheaper than another read. */
const MAX_GAP_BYTES = 32 * 1024;

/** A stretch of one output that holds records wanted now: `places[first]` up to `places[last]`. */
interface Stretch {
  first: number;
  last: number;
  shard: number;
  start: number;
  end: number;
}

/** Records that stand next to each other in the result. */
export interface RecordWindow {
  /** Numbers of the records. */
  readonly records: Uint32Array;
  /** Their bytes, each with one newline behind it. */
  readonly bytes: Uint8Array;
}

/** Bytes of {@link gatherWindows}. */
export async function* gatherRecords(
  outputs: ShardOutputs,
  index: RecordIndex,
  order: Uint32Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { bytes } of gatherWindows(outputs, index, order)) yield bytes;
}

/**
 * Records in any order, read out of the shard outputs range by range.
 *
 * Works through the result in windows: the records of a window are read in the order they lie in, near ones
 * together, and put where they belong. Memory is a window and a read, whatever the order.
 *
 * @param order numbers of the records in the order of the result
 * @throws {MergeError} `OUTPUT_CHANGED` when a read comes back short
 */
export async function* gatherWindows(
  outputs: ShardOutputs,
  index: RecordIndex,
  order: Uint32Array,
): AsyncGenerator<RecordWindow, void, undefined> {
  let from = 0;
  while (from < order.length) {
    const records = takeWindow(index, order, from);
    from += records.length;
    yield { records, bytes: await fillWindow(outputs, index, records) };
  }
}

/** As many of the next records as fit a window, and at least one. */
function takeWindow(index: RecordIndex, order: Uint32Array, from: number): Uint32Array {
  let to = from;
  let size = 0;
  while (to < order.length) {
    size += index.lengthOf(order[to] ?? 0) + 1;
    if (size > WINDOW_BYTES && to > from) break;
    to += 1;
  }
  return order.subarray(from, to);
}

async function fillWindow(outputs: ShardOutputs, index: RecordIndex, window: Uint32Array): Promise<Uint8Array> {
  const targets = new Uint32Array(window.length);
  let size = 0;
  for (const [place, record] of window.entries()) {
    targets[place] = size;
    size += index.lengthOf(record) + 1;
  }
  const bytes = new Uint8Array(size).fill(LINE_FEED);
  const places = Uint32Array.from(window.keys()).sort((a, b) => (window[a] ?? 0) - (window[b] ?? 0));
  const records = Uint32Array.from(places, (place) => window[place] ?? 0);
  for (const stretch of stretchesOf(index, records)) {
    const read = await readStretch(outputs, stretch);
    for (let at = stretch.first; at <= stretch.last; at += 1) {
      const start = index.startOf(records[at] ?? 0) - stretch.start;
      const end = start + index.lengthOf(records[at] ?? 0);
      bytes.set(read.subarray(start, end), targets[places[at] ?? 0]);
    }
  }
  return bytes;
}

/** Cuts records, sorted as they lie, into stretches worth one read each. */
function* stretchesOf(index: RecordIndex, records: Uint32Array): Generator<Stretch, void, undefined> {
  let current: Stretch | undefined;
  for (const [at, record] of records.entries()) {
    const shard = index.shardOf(record);
    const start = index.startOf(record);
    const end = index.endOf(record);
    if (current !== undefined && isNear(current, shard, start, end)) {
      current.last = at;
      current.end = end;
      continue;
    }
    if (current !== undefined) yield current;
    current = { first: at, last: at, shard, start, end };
  }
  if (current !== undefined) yield current;
}

function isNear(stretch: Stretch, shard: number, start: number, end: number): boolean {
  return shard === stretch.shard && start - stretch.end <= MAX_GAP_BYTES && end - stretch.start <= MAX_READ_BYTES;
}

async function readStretch(outputs: ShardOutputs, { shard, start, end }: Stretch): Promise<Uint8Array> {
  const bytes = await outputs.read(shard, start, end);
  if (bytes.length === end - start) return bytes;
  throw new MergeError(
    "OUTPUT_CHANGED",
    `reading bytes ${start} to ${end} of the output of shard ${shard} gave ${bytes.length} bytes`,
  );
}
