/** A key that more than one record carries. */
export interface MergeConflict {
  /** The key as messages print it. */
  key: string;
  /** Records that carry it. */
  recordCount: number;
  /** Shards of the first five of these records, in shard order; a shard that holds two of them stands here twice. */
  shards: number[];
}

/** What folding found. */
export interface MergeReport {
  /** Records in the result; for objects their keys. */
  recordCount: number;
  /** Keys that more than one record carries. */
  conflictCount: number;
  /** The first five of these keys, in order of their second appearance. */
  conflicts: MergeConflict[];
  /** Keys of the source that no record carries; 0 when the source is not known. */
  missingCount: number;
  /** Keys of records that the source does not have; 0 when the source is not known. */
  unexpectedCount: number;
  /**
   * How the keys differ from those of the source where the merge should be complete, for a message: "expected N, got
   * M; missing …"; empty if they do not.
   */
  difference: string;
}
