import type { CompiledPhase } from "@fanfold/schemas";
import type { CarriedAttempt, Carrier, ShardFinish, ShardRef, TakenEnd } from "@fanfold/store";

/** The end of an attempt. */
export interface AttemptEnd {
  readonly runId: string;
  readonly ref: ShardRef;
  readonly finish: ShardFinish;
  /** The job that runs the attempt: the shard's own, or that of another one, which carries it. Claims the next shards. */
  readonly claimant: string;
  readonly isCarried: boolean;
  /** Who would go on with shards that this starts; nobody when absent. */
  readonly carrier?: AttemptCarrier | undefined;
}

/** A job that may go on with shards that are claimed. */
export interface AttemptCarrier extends Carrier {
  /** How long an attempt of a phase will take here, in ms; undefined when nobody knows. */
  readonly expectedMs?: (phase: CompiledPhase) => number | undefined;
}

/** How the end of an attempt was taken. */
export interface AttemptEndReply {
  /** What was claimed is released. */
  readonly finished: TakenEnd;
  /** The shards that the job carries now, one or more: their attempts are on. */
  readonly next?: readonly CarriedAttempt[];
}
