import type { LineageRoot } from "@fanfold/core";
import type { RunEngine } from "./run-engine.ts";
import { findPlace, resolveArtifact } from "./resolve-artifact.ts";

/**
 * Where lineage begins that is asked for with a text: `PHASE` (its latest revision), `PHASE@r2`, or an artifact. All
 * instances of a phase with a matrix may be meant together.
 *
 * @throws {EngineError} UNKNOWN_ARTIFACT
 */
export async function lineageRoots(engine: RunEngine, runId: string, text: string): Promise<LineageRoot[]> {
  const place = await findPlace(engine, runId, text);
  if (place === undefined) {
    const { record } = await resolveArtifact(engine, runId, text);
    return [{ phase: record.phase, revision: record.revision, artifact: record }];
  }
  const records = await engine.store.runs.loadPhases(runId);
  return place.phases.map((phase) => ({
    phase,
    revision: place.revision ?? Math.max(1, records.get(phase)?.revision ?? 0),
  }));
}
