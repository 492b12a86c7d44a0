import type { CompiledPhase } from "@fanfold/schemas";
import type { CarriedAttempt, Carrying, FinishReply, ShardFinish, ShardRef } from "@fanfold/store";

/** The successful end of the only attempt of a direct phase that is left. */
export interface PhaseEnd {
  readonly runId: string;
  readonly ref: ShardRef;
  readonly finish: ShardFinish;
  /** The job that runs the attempt: the shard's own, or that of another one, which carries it. Claims the next shards. */
  readonly claimant: string;
  readonly isCarried: boolean;
  /** Who would go on with shards of phases that are opened; nobody when absent. */
  readonly carrier?: Carrier | undefined;
}

/** A job that goes on with phases it starts. */
export interface Carrier extends Omit<Carrying, "phases" | "most"> {
  /** How long an attempt of a phase will take here, in ms; undefined when nobody knows. */
  readonly expectedMs?: (phase: CompiledPhase) => number | undefined;
}

/** How the end of an attempt was taken. */
export interface PhaseEndReply {
  /** What was claimed is released. */
  readonly finished: Omit<FinishReply, "claimed">;
  /** The shards that the job carries now, one or more: their attempts are on. */
  readonly next?: readonly CarriedAttempt[];
}
