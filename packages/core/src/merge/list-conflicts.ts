import { listNames } from "../jsonl/show-value.ts";
import type { MergeConflict, MergeReport } from "./merge-report.ts";

/** The duplicate keys of a report with their shards, for a message: `a (shards 0, 3), b (shards 1, 1) (+2 more)`. */
export function listConflicts({ conflicts, conflictCount }: Pick<MergeReport, "conflicts" | "conflictCount">): string {
  return listNames(conflicts.map(describeConflict), conflictCount);
}

function describeConflict({ key, recordCount, shards }: MergeConflict): string {
  const rest = recordCount - shards.length;
  return `${key} (shards ${shards.join(", ")}${rest > 0 ? ` and ${rest} more` : ""})`;
}
