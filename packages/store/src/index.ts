export {
  type ArtifactStore,
  type ByteRange,
  type Enrolment,
  readContent,
  type RemovedFiles,
  type StoredArtifact,
  streamContent,
} from "./artifacts/artifact-store.ts";
export { AttemptLogs, type LogPiece } from "./attempt-logs.ts";
export type { ClaimedShard } from "./claimed-shard.ts";
export { type ArtifactLocation, openArtifactStore } from "./artifacts/artifact-location.ts";
export { FileArtifactStore } from "./artifacts/file-artifact-store.ts";
export { Consumptions, type KeptConsumption } from "./consumptions.ts";
export {
  blockOf,
  type CarriedShard,
  type FlowState,
  FlowStates,
  type JobState,
  type ShardJobState,
} from "./flow-states.ts";
export { JOB_LOCK } from "./job-lock.ts";
export { addRemoved, type HeldJob, JobRemovals, type RemovedJobs } from "./job-removals.ts";
export { Journal } from "./journal.ts";
export { BlockLedger } from "./block-ledger.ts";
export {
  AGGREGATE_QUEUE,
  type BlockRef,
  blockName,
  DEFAULT_PREFIX,
  GATES_QUEUE,
  jobIds,
  Keys,
  type PhaseRef,
  parseBlockName,
  parseShardId,
  parsePhaseRevision,
  phaseRevisionId,
  type RunKeys,
  SCHEDULER_QUEUE,
  type ShardRef,
  shardId,
  shardQueue,
} from "./keys.ts";
export { Ledger } from "./ledger.ts";
export { SpawnLedger, type WaitingSpawner } from "./spawn-ledger.ts";
export type {
  BlockReply,
  BlockStep,
  Carrier,
  EndedBy,
  FinishReply,
  LeavingShard,
  PhaseOpening,
  RecallReply,
  ShardFinish,
  ShardMetric,
  ShardRepair,
  ShardStart,
  StartedInBlock,
  StartReply,
} from "./ledger-moves.ts";
export type { PhaseFacts } from "./ledger-reader.ts";
export { isSameHolder, type LockHolder, Locks } from "./locks.ts";
export {
  type CarriedAttempt,
  type Carrying,
  type CompletionReply,
  type PhaseCompletion,
  PhaseCompletions,
  type TakenEnd,
} from "./phase-completions.ts";
export { type PoolRate, Pools, type PoolState } from "./pools.ts";
export { type FlowPhase, isDirect, Queues } from "./queues.ts";
export { connectRedis, type ConnectOptions } from "./redis/connect-redis.ts";
export { describeAddress, type RedisAddress, type SentinelLogin, type TlsFiles } from "./redis/redis-address.ts";
export { duplicateConnection, listServers, type RedisClient } from "./redis/redis-client.ts";
export type { OnRedisNotice, RedisNotice } from "./redis/redis-health.ts";
export { MIN_REDIS_VERSION } from "./redis/server-facts.ts";
export { type ReusableOutput, ReuseIndex, type ReusingShard } from "./reuse-index.ts";
export { type ReleasedShard, type RemovalStart, RunRemovals } from "./run-removals.ts";
export { type RunHead, RunIndex, type RunPage, type RunPosition } from "./run-index.ts";
export { type CommitResult, runEdition, RunStore } from "./run-store.ts";
export { type Semaphore, Semaphores, type SlotHolder } from "./semaphores.ts";
export { Signals } from "./signals.ts";
export { PlanSigner, type PlanTrust } from "./plan-signer.ts";
export { openStore, type Store } from "./store.ts";
export { StoreError, type StoreErrorCode } from "./store-error.ts";
export { MAX_TEMPLATE_BYTES, MAX_TEMPLATE_VERSIONS, type NewTemplate, type Templates } from "./templates.ts";
export { TELL_FACTS_EVERY_MS } from "./worker-facts.ts";
