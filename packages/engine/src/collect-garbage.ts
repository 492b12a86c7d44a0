import { expiredRuns, type RetentionLimits, type RunAge } from "@fanfold/core";
import { StoreError } from "@fanfold/store";
import { systemClock } from "./clock.ts";
import { type CollectedArtifacts, collectArtifacts, DEFAULT_GRACE_MS } from "./collect-artifacts.ts";
import { EngineError } from "./engine-error.ts";
import { type RemovedRun, removeRun } from "./remove-run.ts";
import type { RunEngine } from "./run-engine.ts";

/** What {@link collectGarbage} keeps. */
export interface GarbageScope extends RetentionLimits {
  /** Content of the artifact store younger than this stays in any case; an hour when missing. */
  readonly graceMs?: number;
  /** Says what would be removed, and removes nothing. */
  readonly dryRun?: boolean;
  /** Called after each run that was removed. */
  readonly onRemoved?: (run: RemovedRun) => Promise<void> | void;
}

/** What {@link collectGarbage} removed, or would. */
export interface CollectedGarbage {
  /** Ids of runs, the oldest first. */
  readonly runs: readonly string[];
  /** Runs that were to be removed and could not be now, with the reason. */
  readonly skipped: readonly { readonly runId: string; readonly why: string }[];
  /** Keys in Redis; not counted when nothing is removed. */
  readonly keys: number;
  readonly artifacts: CollectedArtifacts;
}

/**
 * Removes the ended runs beyond the limits, what an interrupted removal left, and then the content that no run refers
 * to. A live run is never touched. May be repeated, and run in several processes at once.
 */
export async function collectGarbage(engine: RunEngine, scope: GarbageScope): Promise<CollectedGarbage> {
  const { dryRun = false, graceMs = DEFAULT_GRACE_MS, onRemoved } = scope;
  const doomed = await listDoomed(engine, scope);
  if (dryRun) {
    const artifacts = await collectArtifacts(engine, { graceMs, dryRun, without: new Set(doomed) });
    return { runs: doomed, skipped: [], keys: 0, artifacts };
  }
  const runs: string[] = [];
  const skipped: { runId: string; why: string }[] = [];
  let keys = 0;
  for (const runId of doomed) {
    const removed = await tryRemove(engine, runId);
    if ("why" in removed) skipped.push(removed);
    else {
      runs.push(runId);
      keys += removed.keys;
      await onRemoved?.(removed);
    }
  }
  await engine.store.reuse.forgetGone();
  return { runs, skipped, keys, artifacts: await collectArtifacts(engine, { graceMs, dryRun }) };
}

/**
 * Goes on with removals whose process has died. One that is younger than `afterMs` may still be under way.
 *
 * @returns ids of the runs that are gone now
 */
export async function resumeRemovals(engine: RunEngine, afterMs: number): Promise<string[]> {
  const { removals } = engine.store;
  const gone: string[] = [];
  for (const runId of await removals.listBegun()) {
    const beganAtMs = Number.parseInt((await removals.findToken(runId)) ?? "0", 10);
    if (systemClock.nowMs() - beganAtMs < afterMs) continue;
    if (!("why" in (await tryRemove(engine, runId)))) gone.push(runId);
  }
  return gone;
}

/** Ids of the runs to remove: the half removed ones, and those beyond the limits. */
async function listDoomed(engine: RunEngine, limits: RetentionLimits): Promise<string[]> {
  const { removals } = engine.store;
  const ages = new Map<string, RunAge>();
  for await (const page of removals.scanAges()) for (const age of page) ages.set(age.runId, age);
  const begun = await removals.listBegun();
  return [...new Set([...begun, ...expiredRuns([...ages.values()], limits, systemClock.nowMs())])];
}

async function tryRemove(engine: RunEngine, runId: string): Promise<RemovedRun | { runId: string; why: string }> {
  try {
    return await removeRun(engine, runId);
  } catch (error) {
    const isExpected = error instanceof EngineError || (error instanceof StoreError && error.code === "RUN_NOT_FOUND");
    if (!isExpected) throw error;
    return { runId, why: error.message };
  }
}
