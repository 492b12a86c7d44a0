import { LISTED_NAMES, listNames } from "../jsonl/show-value.ts";
import { MergeError } from "./merge-error.ts";
import type { MergeConflict, MergeReport } from "./merge-report.ts";
import type { RecordIndex } from "./record-index.ts";

/** Distinct keys one merge can hold: the entries of one JavaScript map. */
const MAX_MERGE_KEYS = 2 ** 24 - 1;

const INITIAL_CAPACITY = 1024;

/** Which record wins when several carry a key. `error` keeps the first, for a merge that is rejected in the end. */
export type DuplicatePolicy = "error" | "first" | "last";

/** How a {@link KeyTable} works. */
export interface KeyTableOptions {
  readonly policy: DuplicatePolicy;
  readonly hasSource: boolean;
  /** A key as messages print it. */
  readonly showKey: (key: string) => string;
}

/**
 * Finds out which record stands for each key, and in which order the keys go.
 *
 * 1. A key has an ordinal: source keys 0…n−1 in source order, then the others in order of first appearance.
 * 2. `#winners[ordinal]` is the number of the key's record + 1, and 0 while it has none.
 * 3. A winner is replaced only by a later record, and only when the policy is `last`.
 */
export class KeyTable {
  readonly #policy: DuplicatePolicy;
  readonly #hasSource: boolean;
  readonly #showKey: (key: string) => string;
  readonly #ordinals = new Map<string, number>();
  #winners = new Uint32Array(INITIAL_CAPACITY);
  #inConflict = new Uint8Array(INITIAL_CAPACITY);
  #sourceCount = 0;
  #foundCount = 0;
  #keyCountWithRecord = 0;
  #conflictCount = 0;
  readonly #conflicts = new Map<number, MergeConflict>();

  constructor({ policy, hasSource, showKey }: KeyTableOptions) {
    this.#policy = policy;
    this.#hasSource = hasSource;
    this.#showKey = showKey;
  }

  /** Adds the next key of the source; one that came before keeps its place. Must come before the first record. */
  addSourceKey(key: string): void {
    this.#ordinalOf(key);
    this.#sourceCount = this.#ordinals.size;
  }

  /** Adds the next record: `record` is its number in the index. */
  addRecord(key: string, record: number, index: RecordIndex): void {
    const ordinal = this.#ordinalOf(key);
    const winner = this.#winners[ordinal] ?? 0;
    if (winner === 0) {
      this.#winners[ordinal] = record + 1;
      this.#keyCountWithRecord += 1;
      if (ordinal < this.#sourceCount) this.#foundCount += 1;
      return;
    }
    this.#noteConflict(ordinal, key, [index.shardOf(winner - 1), index.shardOf(record)]);
    if (this.#policy === "last") this.#winners[ordinal] = record + 1;
  }

  /** Keys by their ordinal. */
  keys(): Iterable<string> {
    return this.#ordinals.keys();
  }

  /** Numbers of the winning records by the ordinal of their keys. */
  winners(): Uint32Array {
    const winners = new Uint32Array(this.#keyCountWithRecord);
    let count = 0;
    for (let ordinal = 0; ordinal < this.#ordinals.size; ordinal += 1) {
      const winner = this.#winners[ordinal] ?? 0;
      if (winner === 0) continue;
      winners[count] = winner - 1;
      count += 1;
    }
    return winners;
  }

  /** Numbers of the winning records in the order of the result: by source index, unknown keys last as they come. */
  order(): Uint32Array {
    const order = this.winners();
    order.subarray(this.#foundCount).sort();
    return order;
  }

  /** What was found so far; `complete` also says how the keys differ from those of the source. */
  report({ complete }: { complete: boolean }): MergeReport {
    return {
      recordCount: this.#keyCountWithRecord,
      conflictCount: this.#conflictCount,
      conflicts: [...this.#conflicts.values()],
      missingCount: this.#sourceCount - this.#foundCount,
      unexpectedCount: this.#hasSource ? this.#keyCountWithRecord - this.#foundCount : 0,
      difference: complete ? this.#describeDifference() : "",
    };
  }

  /** "expected N, got M; missing …; unexpected …"; empty if the keys are those of the source. */
  #describeDifference(): string {
    const missing = this.#sourceCount - this.#foundCount;
    const unexpected = this.#ordinals.size - this.#sourceCount;
    if (missing === 0 && unexpected === 0) return "";
    const parts = [`expected ${this.#sourceCount}, got ${this.#keyCountWithRecord}`];
    if (missing > 0) parts.push(`missing ${listNames(this.#missingKeys(), missing)}`);
    if (unexpected > 0) parts.push(`unexpected ${listNames(this.#unexpectedKeys(), unexpected)}`);
    return parts.join("; ");
  }

  *#missingKeys(): Generator<string> {
    for (const [key, ordinal] of this.#ordinals) {
      if (ordinal < this.#sourceCount && this.#winners[ordinal] === 0) yield this.#showKey(key);
    }
  }

  *#unexpectedKeys(): Generator<string> {
    for (const [key, ordinal] of this.#ordinals) {
      if (ordinal >= this.#sourceCount) yield this.#showKey(key);
    }
  }

  #ordinalOf(key: string): number {
    const known = this.#ordinals.get(key);
    if (known !== undefined) return known;
    const ordinal = this.#ordinals.size;
    if (ordinal === MAX_MERGE_KEYS) {
      throw new MergeError("TOO_MANY_KEYS", `a merge by key holds at most ${MAX_MERGE_KEYS} keys; merge with concat`);
    }
    this.#ordinals.set(key, ordinal);
    if (ordinal === this.#winners.length) this.#grow();
    return ordinal;
  }

  #grow(): void {
    const winners = new Uint32Array(2 * this.#winners.length);
    winners.set(this.#winners);
    this.#winners = winners;
    const inConflict = new Uint8Array(winners.length);
    inConflict.set(this.#inConflict);
    this.#inConflict = inConflict;
  }

  #noteConflict(ordinal: number, key: string, [firstShard, shard]: [number, number]): void {
    if (this.#inConflict[ordinal] === 0) {
      this.#inConflict[ordinal] = 1;
      this.#conflictCount += 1;
      if (this.#conflicts.size === LISTED_NAMES) return;
      this.#conflicts.set(ordinal, { key: this.#showKey(key), recordCount: 1, shards: [firstShard] });
    }
    const conflict = this.#conflicts.get(ordinal);
    if (conflict === undefined) return;
    conflict.recordCount += 1;
    if (conflict.shards.length < LISTED_NAMES) conflict.shards.push(shard);
  }
}
