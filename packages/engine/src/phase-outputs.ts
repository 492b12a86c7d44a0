import { phaseProgress } from "@fanfold/core";
import type { Artifact, CompiledPhase, PhaseLedger, ShardResult } from "@fanfold/schemas";
import { isDirect, type PhaseRef, StoreError } from "@fanfold/store";
import { artifactOf } from "./content.ts";
import type { EngineWorkings } from "./engine-workings.ts";

/** What a phase provides, once its shards are in and folded. @throws {StoreError} ARTIFACT_NOT_FOUND before that */
export async function outputsOf(workings: EngineWorkings, runId: string, ref: PhaseRef): Promise<Artifact[]> {
  const { graph } = await workings.states.plan(runId);
  const definition = graph.phase(ref.phase);
  if (!isDirect(definition)) {
    const fold = await workings.store.ledger.findFold(runId, ref);
    if (fold !== undefined && "artifacts" in fold) return fold.artifacts;
    throw new StoreError("ARTIFACT_NOT_FOUND", `phase ${ref.phase} of ${runId} has not been folded`);
  }
  const shard = await workings.store.ledger.findShard(runId, { ...ref, shard: 0 });
  if (shard?.result === undefined) {
    throw new StoreError("ARTIFACT_NOT_FOUND", `phase ${ref.phase} of ${runId} has no result`);
  }
  return artifactsOf(definition, shard.result);
}

/** What a phase that folds nothing provides: the result of its only shard. */
export function artifactsOf(definition: CompiledPhase, { output, artifacts = {}, meta = {} }: ShardResult): Artifact[] {
  const main = definition.provides[0] ?? definition.id;
  return [[main, output] as const, ...Object.entries(artifacts)].map(([name, content]) =>
    artifactOf(name, content, meta[name]),
  );
}

/** Whether all that a phase had to do is done, and only its settling is left. */
export async function isFolded(
  workings: EngineWorkings,
  runId: string,
  ref: PhaseRef,
  counts: PhaseLedger,
): Promise<boolean> {
  const { graph } = await workings.states.plan(runId);
  if (isDirect(graph.phase(ref.phase))) return phaseProgress(counts, false) === "complete";
  const fold = await workings.store.ledger.findFold(runId, ref);
  return fold !== undefined && "artifacts" in fold;
}
