import type { ArtifactDiff } from "@fanfold/engine";
import type { RevisionDiff } from "@fanfold/schemas";

/** Largest output whose contents the dashboard compares, in bytes: it does so between other requests. */
export const MAX_DIFF_BYTES = 8 * 1024 * 1024;
/** Longest unified diff in an answer, in UTF-16 units. */
const MAX_PATCH_CHARS = 256 * 1024;

/**
 * A difference as the API tells of it: all counts, and the first records of each kind.
 *
 * @param limit most records of each kind
 */
export function diffDocument({ records, patch, remark, ...place }: ArtifactDiff, limit: number): RevisionDiff {
  const first = <Item>(items: readonly Item[]): { count: number; first: Item[] } => ({
    count: items.length,
    first: items.slice(0, limit),
  });
  return {
    ...place,
    records:
      records === undefined
        ? null
        : {
            added: first(records.added),
            removed: first(records.removed),
            changed: first(records.changed),
            unchanged: records.unchanged,
          },
    patch: patch === undefined ? null : patch.slice(0, MAX_PATCH_CHARS),
    remark: remark ?? null,
  };
}
