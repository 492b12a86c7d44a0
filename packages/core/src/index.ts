export { assertNever, CoreError, type CoreErrorCode } from "./core-error.ts";
export { findField, type JsonValue } from "./jsonl/json-value.ts";
export { JsonlError } from "./jsonl/jsonl-error.ts";
export { type JsonlRecord, readRecords } from "./jsonl/read-records.ts";
export { listNames } from "./jsonl/show-value.ts";
export { checkOutput } from "./merge/check-output.ts";
export { foldArray } from "./merge/fold-array.ts";
export { foldConcat } from "./merge/fold-concat.ts";
export { foldObject } from "./merge/fold-object.ts";
export { foldRecords } from "./merge/fold-records.ts";
export { listConflicts } from "./merge/list-conflicts.ts";
export { MergeError } from "./merge/merge-error.ts";
export type { MergeReport } from "./merge/merge-report.ts";
export type { ShardOutputs } from "./merge/shard-outputs.ts";
export { type CompileOptions, type CompileResult, compilePlanText, compilePlanValue } from "./plan/compile-plan.ts";
export { listConditionPhases } from "./plan/condition-expression.ts";
export type { ShardForecast } from "./plan/count-shards.ts";
export { explainPlan, type PhaseExplanation, type PhaseVerdict, type PlanExplanation } from "./plan/explain-plan.ts";
export { formatProblem } from "./plan/format-problem.ts";
export { listPhaseIds, listPhaseIdsOfText } from "./plan/list-phase-ids.ts";
export { type ListedVariable, listVariables, listVariablesOfText } from "./plan/list-variables.ts";
export { closestName } from "./plan/name-suggester.ts";
export type { PlanSource } from "./plan/parse-plan-text.ts";
export { parseVariablesText, type VariablesResult } from "./plan/parse-variables-text.ts";
export { PlanGraph } from "./plan/plan-graph.ts";
export { type GraphFormat, planGraphText } from "./plan/plan-graph-text.ts";
export { planJsonSchema } from "./plan/plan-json-schema.ts";
export type { PlanProblem } from "./plan/plan-problem.ts";
export type { LeftOutReason, PlanSelection } from "./plan/plan-selection.ts";
export {
  addUsage,
  costOfUsage,
  flatUsage,
  type PhaseCost,
  type Prices,
  sumUsage,
  type Usage,
  usageOfReport,
  type UsageSum,
} from "./policy/cost.ts";
export { DEFAULT_INFRA_LIMIT, decideRetry } from "./policy/decide-retry.ts";
export { jobPriority } from "./policy/job-priority.ts";
export { expiredRuns, hasLimit, type RetentionLimits, type RunAge } from "./policy/retention.ts";
export { evaluateRepeat, type RepeatVerdict } from "./policy/repeat-condition.ts";
export { type FailedTry, retryPrompt } from "./policy/retry-prompt.ts";
export { retrySeed } from "./policy/backoff.ts";
export { chooseReuse, isReusable, type ReuseChoice } from "./reuse/choose-reuse.ts";
export { differingParts, type PartName } from "./reuse/differing-parts.ts";
export { listNotReusable } from "./reuse/not-reusable.ts";
export { partDetails, type PhaseOfPlan } from "./reuse/part-details.ts";
export { phasePrint, printParts, shardFingerprint } from "./reuse/fingerprint.ts";
export { RangeHasher, RECORDS_HASH_BYTES, recordsHashOf } from "./reuse/range-hasher.ts";
export { type ChangedRecord, diffRecords, type RecordDiff } from "./view/diff-records.ts";
export { historyDocument, type RevisionDocument } from "./view/phase-history.ts";
export { type RerunDocument, rerunDocument } from "./view/rerun-document.ts";
export { diffPlans, type PlanDiff } from "./plan/plan-diff.ts";
export { listInputs } from "./plan/plan-graph.ts";
export { decide, decideTogether } from "./run/decide.ts";
export {
  planRerun,
  type RerunPlan,
  type RerunProblem,
  type RerunReach,
  type RerunRequest,
  type RerunStep,
} from "./run/plan-rerun.ts";
export { isTolerated } from "./run/fail-phase.ts";
export { awaitsApproval, isApproval } from "./run/approval.ts";
export { type ApprovalAnswer, approvalArtifactName, approvalOutput } from "./run/answer-approval.ts";
export { phaseProgress } from "./run/phase-progress.ts";
export { reliedOnBudget, type UnspentBudget } from "./run/run-limits.ts";
export { phaseReadiness, type Readiness } from "./run/readiness.ts";
export {
  applyDecision,
  updateRunState,
  type Decision,
  initialRunState,
  isEmptyDecision,
  type PlannedRun,
  phaseRecord,
  restoreRunState,
  type RunState,
  type Trigger,
} from "./run/run-state.ts";
export { maySpawn } from "./run/spawn-phases.ts";
export { isPhaseOver, isRunOver, movePhase, moveRun } from "./run/transitions.ts";
export { itemText, readItems, replaceItem } from "./shards/read-items.ts";
export { findGroupField, gatherOrder, groupValueOf } from "./shards/group-records.ts";
export { createShardCutter } from "./shards/shard-cutter.ts";
export { ShardError } from "./shards/shard-error.ts";
export {
  decodeShardEntry,
  decodeShardRange,
  SHARD_PLAN_ENTRY_BYTES,
  SHARD_PLAN_HEADER_BYTES,
  ShardPlanEncoder,
  type ShardRange,
} from "./shards/shard-plan.ts";
export { readShardPlanText, shardPlanText } from "./shards/shard-plan-text.ts";
export { checkSpawn, type SpawnCheck, type SpawnRules } from "./spawn/check-spawn.ts";
export { type ChildrenState, childrenState } from "./spawn/children-state.ts";
export { keepSpawned } from "./spawn/keep-spawned.ts";
export { spawnedPhase, spawnedPhaseId, type SpawnPlace } from "./spawn/spawned-phase.ts";
export {
  type KeyFacts,
  type PoolFacts,
  type ShardFacts,
  type SlotHolderFacts,
  type WhyFacts,
} from "./view/admission-facts.ts";
export type { CapDocument } from "./view/caps-document.ts";
export { findCriticalPath } from "./view/critical-path.ts";
export { describeCause, describeEvent, type EventFacts, eventPlace } from "./view/describe-event.ts";
export { eventLevel } from "./view/event-level.ts";
export { formatBytes, formatCount, formatDuration, formatNumber, formatUsd } from "./view/human-format.ts";
export {
  type LineageFacts,
  lineageOf,
  type LineageRoot,
  type ProducedArtifact,
  type RevisionFacts,
} from "./view/lineage.ts";
export { lineageMermaid, lineageText } from "./view/lineage-text.ts";
export type { MetricAmount, MetricDocument, Percent, PercentMode, TotalStatus } from "./view/progress-metric.ts";
export { MAX_METRICS, type PhaseProgressDocument, phaseProgressAt, SHARDS_METRIC } from "./view/progress-phase.ts";
export { type RunProgressDocument, runProgressAt } from "./view/progress-run.ts";
export { addReport, amountOfSum, type MetricSum, type ReportedMetric } from "./view/progress-sum.ts";
export { reduceRun } from "./view/reduce-run.ts";
export { type PhaseDocument, type RunDocument, runDocument } from "./view/run-document.ts";
export {
  type ApprovalView,
  type ArtifactView,
  type CauseView,
  type DeclaredPhase,
  emptyRunView,
  isBlock,
  isRetryable,
  lastProblem,
  listFailures,
  listTolerated,
  phaseTimeMs,
  type PhaseView,
  type Problem,
  type RunView,
  type ShardCounts,
  type ShardView,
  waitingApprovals,
  waitingShards,
  withPhases,
} from "./view/run-view.ts";
export { shellWord } from "./view/shell-word.ts";
export { type EndedAttemptView, SlowestAttempts } from "./view/slowest-attempts.ts";
export { noWorker } from "./view/why-shard.ts";
export { explainWaits, type Why, type WhyCode, type WhyReason, type WhyScope } from "./view/why.ts";
export { type RunSummary, summariseRun, type TokenCounts, wallTimeMs } from "./view/summarise-run.ts";
