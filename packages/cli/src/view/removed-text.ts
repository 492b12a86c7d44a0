import { formatBytes, formatCount } from "@fanfold/core";
import type { CollectedGarbage } from "@fanfold/engine";
import type { Enrolment } from "@fanfold/store";

/** How much was removed: `63 keys in Redis, 4 files (1.2 MiB) of the artifact store`. */
export function removedText({ keys, files, bytes }: { keys: number; files: number; bytes: number }): string {
  return `${formatCount(keys, "key")} in Redis, ${formatCount(files, "file")} (${formatBytes(bytes)}) of the artifact store`;
}

/** Why content was not removed, and what to do about it. */
export function describeSharing({ label, entry }: Enrolment): string {
  const next = `if that deployment is no more, remove ${entry}; else give each deployment an artifact store of its own`;
  return `warning: content was not removed, for another deployment uses this artifact store too (${label}); ${next}`;
}

/** What a collection removed, for people. */
export function garbageText({ runs, keys, artifacts }: CollectedGarbage, isDryRun: boolean): string {
  const { files, bytes, leftovers } = artifacts;
  const stored = `${formatCount(files, "file")} (${formatBytes(bytes)}) of the artifact store`;
  const lines = [
    ...runs.map((runId) => `${isDryRun ? "would remove" : "removed"} ${runId}`),
    `${isDryRun ? "would remove" : "removed"} ${formatCount(runs.length, "run")}${isDryRun ? "" : ` (${formatCount(keys, "key")} in Redis)`}, ${stored}`,
  ];
  if (leftovers.files > 0) {
    lines.push(`and ${formatCount(leftovers.files, "file")} (${formatBytes(leftovers.bytes)}) that dead writers left`);
  }
  return lines.join("\n");
}

/** What a collection removed, for `--json`. */
export function garbageDocument({ runs, skipped, keys, artifacts }: CollectedGarbage, isDryRun: boolean): object {
  const { files, bytes, leftovers, sharedWith } = artifacts;
  return {
    dry_run: isDryRun,
    runs,
    skipped: skipped.map(({ runId, why }) => ({ run_id: runId, why })),
    keys,
    files,
    bytes,
    leftover_files: leftovers.files,
    leftover_bytes: leftovers.bytes,
    shared_with: sharedWith.map(({ label }) => label),
  };
}
