import { z } from "zod";
import { ArtifactMetaSchema, ArtifactSchema, ContentSchema, Sha256Schema } from "./artifact.ts";
import { InstanceIdSchema, PlanIdSchema, RunIdSchema } from "./ids.ts";
import { SpawnedChildSchema } from "./spawn.ts";

/** Life of a run. */
export const RunStatusSchema = z.enum(["queued", "running", "succeeded", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof RunStatusSchema>;

/** Life of a phase. */
export const PhaseStatusSchema = z.enum([
  "pending",
  "blocked",
  "running",
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
]);
export type PhaseStatus = z.infer<typeof PhaseStatusSchema>;

/** Outcome of an attempt. `spawned`: it ended well, and what it made is not the output: its children come first. */
export const AttemptStatusSchema = z.enum([
  "running",
  "succeeded",
  "failed",
  "timed_out",
  "cancelled",
  "lost",
  "given_back",
  "spawned",
]);
export type AttemptStatus = z.infer<typeof AttemptStatusSchema>;

/** Why a phase or run did not succeed; `code` is closed, `phase` the root cause where there is one. */
export const CauseSchema = z.strictObject({
  code: z.enum([
    "dependency_failed",
    "unreachable",
    "plan_aborted",
    "cancel_requested",
    "missing_dependency",
    "not_selected",
    "condition_false",
    "condition_failed",
    "run_timeout",
    "budget_spent",
    "lock_timeout",
    "circuit_open",
    "shards_failed",
    "merge_rejected",
    "expansion_failed",
    "approval_rejected",
    "approval_timeout",
  ]),
  phase: InstanceIdSchema.optional(),
  message: z.string().optional(),
});
export type Cause = z.infer<typeof CauseSchema>;

/** What a failed attempt left behind. Text is already masked and bounded. */
export const FailureSchema = z.strictObject({
  error_code: z.string(),
  why: z.string(),
  next_action: z.string().optional(),
  exit_code: z.int().optional(),
  signal: z.string().optional(),
  /** Ids of processes that could not be ended, on the worker's machine. */
  survivors: z.array(z.int()).optional(),
});
export type Failure = z.infer<typeof FailureSchema>;

/** What an output was made from: the revision of another phase, and its artifacts by name. Revision 0 had none. */
export const PhaseDependencySchema = z.strictObject({
  phase: InstanceIdSchema,
  revision: z.int().min(0),
  artifact_hashes: z.record(z.string(), Sha256Schema),
});
export type PhaseDependency = z.infer<typeof PhaseDependencySchema>;

/** Why an output is out of date: the phase with a newer revision, the one that was used, and in which turn that came. */
export const StaleCauseSchema = z.strictObject({
  phase: InstanceIdSchema,
  used: z.int().min(0),
  latest: z.int().min(0),
  turn: z.int().min(0),
});
export type StaleCause = z.infer<typeof StaleCauseSchema>;

/** Record of a phase within a run. */
export const PhaseRecordSchema = z.strictObject({
  status: PhaseStatusSchema,
  /** Latest accepted revision; 0 before the first. While running, the revision in the making is this + 1. */
  revision: z.int().min(0),
  cause: CauseSchema.optional(),
  started_at_ms: z.int().optional(),
  finished_at_ms: z.int().optional(),
  /** Artifacts of the accepted revision, and what that was made from. */
  artifacts: z.array(ArtifactSchema).optional(),
  dependencies: z.array(PhaseDependencySchema).optional(),
  /** Since when it waits for an approval, and until when at most, Unix ms; absent while it does not. */
  asked: z.strictObject({ at_ms: z.int(), until_ms: z.int().optional() }).optional(),
  /** What the revision in the making is made from. */
  making: z.array(PhaseDependencySchema).optional(),
  /** Why the accepted revision is out of date; absent while it is not. */
  stale: StaleCauseSchema.optional(),
  /** Turn of the run in which it was last asked to run again; absent before the first. */
  turn: z.int().min(1).optional(),
  /** It was asked for by name to run again: nothing of its next revision is reused. */
  afresh: z.literal(true).optional(),
  /** It runs again only if what it was made from has changed, which is known when its dependencies are over. */
  if_stale: z.literal(true).optional(),
});
export type PhaseRecord = z.infer<typeof PhaseRecordSchema>;

/** Why nothing new of a run may start. */
export const StopReasonSchema = z.enum(["abort", "cancel", "timeout", "budget"]);
export type StopReason = z.infer<typeof StopReasonSchema>;

/** Record of a run. */
export const RunRecordSchema = z.strictObject({
  run_id: RunIdSchema,
  plan_id: PlanIdSchema,
  plan_version: z.string(),
  status: RunStatusSchema,
  /** Grows by one with every committed decision; a commit names the version it was decided on. */
  version: z.int().min(0),
  stop: StopReasonSchema.nullable(),
  /** Phase whose failure aborted the run. */
  stop_phase: InstanceIdSchema.nullable(),
  /** Who cancelled the run. */
  stop_actor: z.string().optional(),
  /** Whether running shards are killed by the stop. */
  stop_kills: z.boolean(),
  /** Whether an abort also kills what runs (`globals.cancellation: cascading`). */
  cascades: z.boolean(),
  /** Whether nothing new starts until somebody lets it. What runs goes on. */
  paused: z.boolean(),
  tolerated_failures: z.int().min(0),
  /** Phases that wait for a person; absent before there was one. */
  waiting_approvals: z.int().min(0).optional(),
  /** How often the plan of the run was changed: by a rerun with another plan, or by phases that were spawned. */
  plan_revision: z.int().min(0).default(0),
  /** How often phases of the run were run again on purpose. */
  turn: z.int().min(0).default(0),
  /** What the attempts have cost so far, in USD, as far as it is known; grows without a new version. */
  cost_usd: z.number().optional(),
  /** Cost from which on the budget counts: that of the last retry of a run that had spent it. */
  budget_from_usd: z.number().optional(),
  /** When the run will have had its time, Unix ms. */
  timeout_at_ms: z.int().optional(),
  /** Who submitted it: a user of the dashboard, or the kind of client. Absent where that is not known. */
  submitted_by: z.string().optional(),
  created_at_ms: z.int(),
  started_at_ms: z.int().nullable(),
  finished_at_ms: z.int().nullable(),
});
export type RunRecord = z.infer<typeof RunRecordSchema>;

/** What an attempt reports on the resources it used. */
export const AttemptRecordSchema = z.strictObject({
  attempt: z.int().min(1),
  status: AttemptStatusSchema,
  worker: z.string(),
  started_at_ms: z.int(),
  finished_at_ms: z.int().optional(),
  failure: FailureSchema.optional(),
  /** Whole output of the attempt (stdout and stderr as they came), where it wrote any. */
  log: ContentSchema.optional(),
  /** What helps to understand its failure, JSON. */
  error_context: ContentSchema.optional(),
  /** Id of the set of artifacts it was given. */
  consumed: z.string().optional(),
});
export type AttemptRecord = z.infer<typeof AttemptRecordSchema>;

/**
 * Life of a shard in the ledger. `released`: on a queue, holds a slot. `waiting`: wants a slot. `spawned`: waits for the
 * phases it spawned, and holds none.
 */
export const ShardStatusSchema = z.enum([
  "released",
  "running",
  "backoff",
  "waiting",
  "spawned",
  "succeeded",
  "failed",
  "cancelled",
]);
export type ShardStatus = z.infer<typeof ShardStatusSchema>;

/** Result a shard hands over: its output, and named extra artifacts. */
export const ShardResultSchema = z.strictObject({
  output: ContentSchema,
  artifacts: z.record(z.string(), ContentSchema).optional(),
  /** Path → content of what `collect` found. */
  collected: z.record(z.string(), ContentSchema).optional(),
  /** Name → what the attempt said of the output or artifact. */
  meta: z.record(z.string(), ArtifactMetaSchema).optional(),
});
export type ShardResult = z.infer<typeof ShardResultSchema>;

/** Shard that made an output which another one took over. */
export const ReuseSourceSchema = z.strictObject({
  run_id: RunIdSchema,
  phase: InstanceIdSchema,
  revision: z.int().min(1),
  shard: z.int().min(0),
  /** When the output was made, Unix ms. */
  at_ms: z.int(),
});
export type ReuseSource = z.infer<typeof ReuseSourceSchema>;

/** What is kept under a fingerprint: a shard whose record has the output. */
export const ReuseEntrySchema = z.strictObject({
  run_id: RunIdSchema,
  /** Id of the shard: `<phase>.r<revision>.<shard>`. */
  shard: z.string(),
  at_ms: z.int(),
});
export type ReuseEntry = z.infer<typeof ReuseEntrySchema>;

/** What the ledger knows of a shard. Fields of a state appear when a shard first enters it. */
export const ShardRecordSchema = z.strictObject({
  status: ShardStatusSchema,
  /** Latest attempt, from 1; absent before the first. */
  attempt: z.int().min(1).optional(),
  /** Token of the latest attempt: a result that carries an older one is refused. */
  fence: z.int().min(1).optional(),
  worker: z.string().optional(),
  started_at_ms: z.int().optional(),
  finished_at_ms: z.int().optional(),
  /** Who cancelled it by hand while it runs. */
  recalled_by: z.string().optional(),
  /** Token of the call that started the latest attempt. */
  start_token: z.string().optional(),
  /** How often its job had been started, stalls apart, when it last started or ended. */
  starts: z.int().min(0).optional(),
  /** How often its job had been started, stalls apart, when a worker last asked for it. */
  seen: z.int().min(0).optional(),
  /** Attempts charged to the user's retries since the shard was last started afresh. */
  tries: z.int().min(0).optional(),
  /** Attempts lost with their workers since then. */
  losses: z.int().min(0).optional(),
  /** Iterations of a phase with `repeat_until` that have ended, and were not the last. */
  iteration: z.int().min(1).optional(),
  /** Output of the last of them. */
  previous: ContentSchema.optional(),
  /** When the backoff ends. */
  until_ms: z.int().optional(),
  /** When its job was last put back on its queue because it was gone. */
  repaired_at_ms: z.int().optional(),
  /** Earlier attempts, oldest first. */
  history: z.array(AttemptRecordSchema).optional(),
  failure: FailureSchema.optional(),
  /** What its attempts spawned, oldest first. */
  spawned: z.array(SpawnedChildSchema).optional(),
  /** Whether children of its latest attempt have to succeed before it goes on. */
  awaits_children: z.boolean().optional(),
  result: ShardResultSchema.optional(),
  log: ContentSchema.optional(),
  /** Fingerprint under which its output may be reused. */
  fingerprint: Sha256Schema.optional(),
  /** Where its output was made, when it was taken over: then there never was an attempt. */
  reused_from: ReuseSourceSchema.optional(),
  /** Id of the set of artifacts the latest attempt that ended was given. */
  consumed: z.string().optional(),
  /** Block that carried its first try: `<first shard>+<shards>`. */
  block: z.string().optional(),
  /** Whether it has left that block for a job of its own. */
  own_job: z.literal(true).optional(),
  /** Id of the job that carried its latest attempt, where that was not its own. */
  carrier: z.string().optional(),
});
export type ShardRecord = z.infer<typeof ShardRecordSchema>;

/** What a merge reads of the record of a shard. */
export const AcceptedOutputSchema = z.object({ result: z.object({ output: ContentSchema }).optional() });

/** Counts of a phase's revision in the making; see `lua/include/ledger.lua`. */
export const PhaseLedgerSchema = z.strictObject({
  revision: z.int().min(1),
  total: z.int().min(0),
  next: z.int().min(0),
  in_flight: z.int().min(0),
  held: z.int().min(0),
  succeeded: z.int().min(0),
  failed: z.int().min(0),
  cancelled: z.int().min(0),
  /** Shard that failed last. */
  failed_shard: z.int().min(0).optional(),
  /** Failed shards that had their effect on the run before it was re-opened: only further ones have it again. */
  excused: z.int().min(0),
  unacked: z.int().min(0),
  max_parallel: z.int().min(0),
  window: z.int().min(1),
  tolerated: z.int().min(0),
  max_consecutive: z.int().min(0),
  consecutive: z.int().min(0),
  tripped: z.union([z.literal(0), z.literal(1)]),
  /** 1 when the phase was cancelled by hand. */
  recalled: z.literal(1).optional(),
  /** Who cancelled the phase by hand, or the latest shard of it. */
  recalled_by: z.string().optional(),
  /** Shards whose output was taken over; those of them that are not passed over yet; 1 while they are looked for. */
  reused: z.int().min(0).optional(),
  ahead: z.int().min(0).optional(),
  reusing: z.literal(1).optional(),
  /** Turn of the run in which the phase is made, where shards of it may be reused. */
  making: z.int().min(0).optional(),
  /** 1 when the phase is run again: its shards may have attempts of a making that failed. */
  again: z.literal(1).optional(),
  /** Concurrency key of the phase, and its limit in the plan. */
  key: z.string().optional(),
  key_limit: z.int().min(1).optional(),
  /** 1 where fresh shards may go in blocks; how many durations of shards were taken, and their sum in ms. */
  blocks: z.literal(1).optional(),
  timed: z.number().min(0).optional(),
  timed_ms: z.number().min(0).optional(),
});
export type PhaseLedger = z.infer<typeof PhaseLedgerSchema>;

/** Hashes of what the output of a shard depends on, the records apart. They say what differs between two runs. */
export const PrintPartsSchema = z.strictObject({
  /** Of the encoding: nothing is reused across formats. */
  format: z.int().min(1),
  work: Sha256Schema,
  code: Sha256Schema,
  env: Sha256Schema,
  key: Sha256Schema,
  /** Name of a consumed artifact → hash of its content. */
  consumes: z.record(z.string(), Sha256Schema),
});
export type PrintParts = z.infer<typeof PrintPartsSchema>;

/** What the fingerprints of a phase's shards are made of. */
export const PhasePrintSchema = z.strictObject({
  parts: PrintPartsSchema,
  /** Hash of the parts. */
  print: Sha256Schema,
  /** 64 characters for each shard: the sha256 of its records; null when the phase is not sharded. */
  records: ContentSchema.nullable(),
});
export type PhasePrint = z.infer<typeof PhasePrintSchema>;

/** Where the input of a phase's shards is: the records, and the plan that says which range is whose. */
export const PhaseInputsSchema = z.strictObject({
  /** The records as their source has them; their order is the order of a merge by key. */
  source: ContentSchema.nullable(),
  /** The records as they were cut: the source, or the source regrouped. */
  records: ContentSchema.nullable(),
  shard_plan: ContentSchema.nullable(),
  /** Absent: outputs of this phase are not reused. */
  reuse: PhasePrintSchema.optional(),
  /** Revision of the phase whose artifact the source is. */
  source_revision: z.int().min(1).optional(),
});
export type PhaseInputs = z.infer<typeof PhaseInputsSchema>;

/** What came of folding a phase's shard outputs. */
export const FoldSchema = z.union([
  z.strictObject({ artifacts: z.array(ArtifactSchema), at_ms: z.int().optional() }),
  z.strictObject({ failure: FailureSchema }),
]);
export type Fold = z.infer<typeof FoldSchema>;

/** Where a phase stands by its counts. `complete`: every shard succeeded. `tolerable`: all are done with and few enough failed. `drained`: nothing runs, and nothing more will by itself. */
export const PhaseProgressSchema = z.enum(["complete", "tolerable", "busy", "drained"]);
export type PhaseProgress = z.infer<typeof PhaseProgressSchema>;

/** The ledger's answer to the start of an attempt; `start_shard.lua` of the store says what each means. */
export const StartVerdictSchema = z.enum(["run", "done", "ended", "reopen", "no_slot", "spawned", "unknown"]);
export type StartVerdict = z.infer<typeof StartVerdictSchema>;

/** The ledger's answer to the end of an attempt; `finish_shard.lua` of the store says what each means. */
export const FinishVerdictSchema = z.enum(["ok", "refused", "stopped"]);
export type FinishVerdict = z.infer<typeof FinishVerdictSchema>;
