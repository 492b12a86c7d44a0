export type { GivenApproval } from "./answer-approval.ts";
export { type ListedArtifact, outputId } from "./artifact-records.ts";
export { SPAWN_RECHECK_MS } from "./await-children.ts";
export type { RunPart } from "./cancel-part.ts";
export type { AttemptEnd, AttemptEndReply } from "./attempt-end.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type CollectedArtifacts, collectArtifacts, DEFAULT_GRACE_MS } from "./collect-artifacts.ts";
export { type CollectedGarbage, collectGarbage, type GarbageScope, resumeRemovals } from "./collect-garbage.ts";
export { artifactOf, contentOf, keepContent } from "./content.ts";
export { EngineError, type EngineErrorCode } from "./engine-error.ts";
export { type ArtifactScope, listArtifacts, scanArtifacts } from "./list-artifacts.ts";
export { gatherLineage } from "./gather-lineage.ts";
export { lineageRoots } from "./lineage-roots.ts";
export { getArtifact, resolveArtifact } from "./resolve-artifact.ts";
export { listCaps } from "./list-caps.ts";
export { loadPinnedInputs, type PinnedInputs } from "./pinned-inputs.ts";
export type { RemovedRun } from "./remove-run.ts";
export type { RerunOrder, RerunPreview } from "./rerun-run.ts";
export type { RetryScope } from "./retry-failed.ts";
export { type ArtifactDiff, diffRevisions, type DiffScope, loadHistory } from "./run-history.ts";
export { readShardPlan, shardPlanBytes } from "./shard-plan-content.ts";
export { RunEngine } from "./run-engine.ts";
export type { RunPlan } from "./run-states.ts";
export {
  addTemplate,
  type FoundTemplate,
  findBuiltInTemplate,
  findTemplate,
  type ListedTemplate,
  listTemplates,
  removeTemplate,
  templateDocument,
} from "./templates.ts";
export { warnOfUnservedPools } from "./unserved-pools.ts";
export { gatherWhyFacts } from "./why-facts.ts";
export { explainReuse, type PartDifference, type PhaseReuse, type ShardReuse } from "./reuse/explain-reuse.ts";
export { hashCode, pathsOfCode } from "./reuse/code-of-plan.ts";
export { HashedFiles } from "./reuse/hashed-files.ts";
export { printOf } from "./reuse/phase-print.ts";
