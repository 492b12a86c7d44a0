import type {
  CompiledPhase,
  FinishVerdict,
  PhaseInputs,
  PhaseProgress,
  ShardRecord,
  StartVerdict,
} from "@fanfold/schemas";
import type { ClaimedShard } from "./claimed-shard.ts";
import type { PhaseRef } from "./keys.ts";

/** What `Ledger.openPhase` needs to know of a phase. */
export interface PhaseOpening extends PhaseRef {
  /** Position in declaration order. */
  readonly order: number;
  readonly shardCount: number;
  readonly maxParallel: number | null;
  /** Failed shards that are tolerated. */
  readonly tolerated: number;
  /** Shards failing in a row after which no more is released. */
  readonly maxConsecutiveFailures: number | null;
  /** The phase is run again: its shards may have attempts of a making that failed. */
  readonly isAgain: boolean;
  readonly concurrencyKey: CompiledPhase["concurrency_key"];
  readonly inputs: PhaseInputs;
  /** Turn of the run in which the phase is made; 0 in the first. */
  readonly turn: number;
  /** `begin`: shards are about to be reused, so none is handed out; `end`: that is done. */
  readonly reuse?: "begin" | "end";
  /** Its shards may go in blocks. */
  readonly inBlocks: boolean;
  /** Data of the `phase_started` event. */
  readonly started: Readonly<Record<string, string | number | null>>;
}

/** What `Ledger.startShard` needs to know of a start. */
export interface ShardStart {
  readonly worker: string;
  readonly nowMs: number;
  /** Starts of the job that no stall caused. */
  readonly starts: number;
  /** The run was re-opened for a hand retry of this shard. */
  readonly reopened: boolean;
  /** Most workers a shard may lose before it fails. */
  readonly lossLimit: number;
}

/** Answer to a start; `lua/start_shard.lua` says what each verdict means. */
export interface StartReply {
  readonly verdict: StartVerdict;
  readonly record: ShardRecord | undefined;
  /** Undefined where the ledger did not look. */
  readonly progress: PhaseProgress | undefined;
  /** Journal position of the event this start caused, where it ended the shard. */
  readonly seq: number;
}

/** Outcome of an attempt, as `Ledger.finishShard` records it. */
export interface ShardFinish {
  readonly fence: number;
  readonly attempt: number;
  readonly outcome: "succeeded" | "backoff" | "failed" | "cancelled" | "given_back" | "spawned";
  readonly record: ShardRecord;
  readonly events: readonly (readonly [event: string, data: object])[];
  readonly nowMs: number;
  /** Cost of the attempt, in USD; 0 when unknown. */
  readonly costUsd: number;
  /** How long a successful attempt took, in ms. */
  readonly durationMs?: number;
}

/** A job that may go on with a shard that is claimed. */
export interface Carrier {
  readonly worker: string;
  /** Pool of the job; one with a limit of its own carries nothing. */
  readonly pool: string;
  /** Most workers an attempt may lose before the shard fails. */
  readonly lossLimit: number;
}

/** Whose job tells the end of an attempt. */
export interface EndedBy {
  /** Under this name the next shards are claimed. */
  readonly claimant: string;
  /** The claimant's job is that of another shard, which carries this one. */
  readonly isCarried?: boolean;
  /** Who goes on with the next shard of the phase; nobody when absent. */
  readonly carrier?: Carrier | undefined;
}

/** What `BlockLedger.stepBlock` needs to know of a step. */
export interface BlockStep {
  readonly worker: string;
  readonly nowMs: number;
  /** Shards that ended since the last step, in that order. */
  readonly ended: readonly (ShardFinish & { readonly shard: number })[];
  /** How long each took on average, in ms; undefined when that is not known. */
  readonly meanMs: number | undefined;
  /** First shard to look at; one behind the last when none is left. */
  readonly from: number;
  /** Most shards to start; `fit`: as many as the ledger thinks good; `leave`: all that are left get jobs of their own. */
  readonly start: number | "fit" | "leave";
  /** Claims the next shards under this name, at the end of the block. */
  readonly claimant?: string;
}

/** A shard of a block that was started. */
export interface StartedInBlock {
  readonly shard: number;
  readonly attempt: number;
  readonly fence: number;
  readonly record: ShardRecord;
}

/** Answer to a step; `lua/step_block.lua` says more. */
export interface BlockReply {
  /** Undefined when the ledger does not expect the block. */
  readonly progress: PhaseProgress | undefined;
  /** First shard that was not looked at. */
  readonly cursor: number;
  readonly started: readonly StartedInBlock[];
  /** Shards that need a job of their own. */
  readonly leaving: readonly LeavingShard[];
  /** What became of those that ended, by their index. */
  readonly verdicts: ReadonlyMap<number, FinishVerdict>;
  readonly claimed: readonly ClaimedShard[];
}

/** A shard that gets a job of its own, which is to start at this time, Unix ms; 0 for at once. */
export interface LeavingShard {
  readonly shard: number;
  readonly notBeforeMs: number;
}

/** What became of a shard whose job is gone; `lua/note_shard_repair.lua` says how it is decided. */
export interface ShardRepair {
  /** Undefined when nothing is to be done. */
  readonly status: "released" | "running" | "backoff" | "waiting" | "spawned" | undefined;
  /** End of the backoff, Unix ms; 0 when there is none. */
  readonly untilMs: number;
}

/** Answer to a cancellation by hand. */
export type RecallReply = PhaseProgress | "unopened" | "over";

/** What an attempt says of one of its metrics. */
export interface ShardMetric {
  readonly unit: string;
  readonly completed: number;
  /** Missing while the attempt does not know it. */
  readonly total?: number;
}

/** Answer to a finish; `lua/finish_shard.lua` says what each verdict means. */
export interface FinishReply {
  readonly verdict: FinishVerdict;
  /** Undefined when the result was refused. */
  readonly progress: PhaseProgress | undefined;
  readonly seq: number;
  readonly claimed: readonly ClaimedShard[];
  /** The last shard of the phase that had no job of its own has ended: the gate of the phase may go. */
  readonly opensGate: boolean;
  /** Record of the claimed shard that is marked as carried: its attempt is on. */
  readonly carried: ShardRecord | undefined;
}
