import { lineageOf, type LineageRoot, type RevisionFacts } from "@fanfold/core";
import type { Artifact, ConsumedInput, Lineage, LineageDirection } from "@fanfold/schemas";
import { parsePhaseRevision, type PhaseRef, phaseRevisionId } from "@fanfold/store";
import { outputId } from "./artifact-records.ts";
import type { RunEngine } from "./run-engine.ts";

/**
 * What was made from what in a run, by what its attempts were given: not by the plan.
 *
 * @param roots empty: all of the run, from what was made from nothing downwards
 * @throws {StoreError} RUN_NOT_FOUND
 */
export async function gatherLineage(
  engine: RunEngine,
  runId: string,
  roots: readonly LineageRoot[],
  direction: LineageDirection,
): Promise<Lineage> {
  const revisions = await gatherRevisions(engine, runId);
  const idOf = (input: ConsumedInput): string => outputId(runId, input, input.name);
  const facts = { run_id: runId, revisions, idOf };
  if (roots.length > 0) return lineageOf(facts, roots, direction);
  return lineageOf(
    facts,
    revisions.filter(({ consumed }) => consumed.length === 0).map(({ phase, revision }) => ({ phase, revision })),
    "down",
  );
}

/** What each revision of each phase was given and made, in the order of the plan. */
async function gatherRevisions(engine: RunEngine, runId: string): Promise<RevisionFacts[]> {
  const { runs, consumptions } = engine.store;
  const [{ graph }, latest, earlier, sets] = await Promise.all([
    engine.plan(runId),
    runs.loadPhases(runId),
    runs.loadRevisions(runId),
    consumptions.load(runId),
  ]);
  const facts = new Map<string, RevisionFacts & { consumed: ConsumedInput[] }>();
  const at = (ref: PhaseRef, artifacts: readonly Artifact[] = []): { consumed: ConsumedInput[] } => {
    const id = phaseRevisionId(ref.phase, ref.revision);
    const known = facts.get(id);
    if (known !== undefined) return known;
    const produced = artifacts.map(({ name, sha256, size_bytes }) => ({
      artifact_id: outputId(runId, ref, name),
      name,
      sha256,
      size_bytes,
    }));
    const made = { phase: ref.phase, revision: ref.revision, produced, consumed: [] };
    facts.set(id, made);
    return made;
  };
  for (const [id, { artifacts }] of earlier) at(parsePhaseRevision(id), artifacts);
  for (const [phase, { revision, artifacts }] of latest) if (revision > 0) at({ phase, revision }, artifacts);
  for (const { phase, revision, consumption } of sets) at({ phase, revision }).consumed.push(...consumption.artifacts);
  const order = new Map(graph.ids.map((id, index) => [id, index]));
  const last = order.size;
  const place = (phase: string): number => order.get(phase) ?? last;
  return [...facts.values()].sort((a, b) => place(a.phase) - place(b.phase) || a.revision - b.revision);
}
