import type { Enrolment, RemovedFiles } from "@fanfold/store";
import type { RunEngine } from "./run-engine.ts";

/** Age in ms below which content stays although nothing refers to it: an attempt may be about to. */
export const DEFAULT_GRACE_MS = 3_600_000;
/** The least it can be while a run is live, in ms: content is put before the record that names it. */
const LEAST_LIVE_GRACE_MS = 600_000;

/** What {@link collectArtifacts} looks at. */
export interface CollectionScope {
  /** Content younger than this stays. While a run is live it is at least ten minutes. */
  readonly graceMs: number;
  /** Looks and counts, and removes nothing. */
  readonly dryRun: boolean;
  /** Only these hashes; everything in the store when missing. */
  readonly only?: ReadonlySet<string>;
  /** Runs whose references do not count, as if they were removed. */
  readonly without?: ReadonlySet<string>;
}

/** What {@link collectArtifacts} removed. */
export interface CollectedArtifacts extends RemovedFiles {
  /** What dead writers had left behind. */
  readonly leftovers: RemovedFiles;
  /** Other deployments that use the artifact store: when there is one, nothing was removed. */
  readonly sharedWith: readonly Enrolment[];
}

const NONE: RemovedFiles = { files: 0, bytes: 0 };

/**
 * Removes content that no run of the deployment refers to. What a run refers to is read from its records, so nothing
 * has to be counted, and a crash leaves nothing behind that the next collection does not find. Content is put before
 * it is referred to: what was put since the grace began stays.
 */
export async function collectArtifacts(engine: RunEngine, scope: CollectionScope): Promise<CollectedArtifacts> {
  const { artifacts, runs } = engine.store;
  const sharedWith = await artifacts.listOthers();
  if (sharedWith.length > 0) return { ...NONE, leftovers: NONE, sharedWith };
  // the order counts: a run that goes live after the look puts its content after the time that was read
  const nowMs = await artifacts.nowMs();
  const isLive = (await runs.listLive()).length > 0;
  const beforeMs = nowMs - (isLive ? Math.max(scope.graceMs, LEAST_LIVE_GRACE_MS) : scope.graceMs);
  const used = await findUsed(engine, scope);
  let [files, bytes] = [0, 0];
  for await (const sha of scope.only ?? artifacts.list()) {
    const size = used.has(sha) ? undefined : await artifacts.remove(sha, beforeMs, scope);
    if (size === undefined) continue;
    files += 1;
    bytes += size;
  }
  return { files, bytes, leftovers: await artifacts.removeLeftovers(beforeMs, scope), sharedWith };
}

/** Hashes that runs refer to; of those asked for, where only some are. */
async function findUsed(engine: RunEngine, { only, without }: CollectionScope): Promise<Set<string>> {
  const { removals } = engine.store;
  const used = new Set<string>();
  for await (const page of removals.scanAges()) {
    for (const { runId } of page) {
      if (without?.has(runId) === true) continue;
      for await (const references of removals.scanReferences(runId)) {
        for (const sha of references) if (only === undefined || only.has(sha)) used.add(sha);
        if (used.size === only?.size) return used;
      }
    }
  }
  return used;
}
