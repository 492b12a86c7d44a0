import type { PhaseSketch } from "./run-fixture.ts";

/** What comes of a phase when it runs. */
export type Fate = "succeeds" | "shard_fails" | "merge_rejected" | "expansion_failed";

/** A phase, and what it would do. */
export interface FatedPhase extends PhaseSketch {
  readonly shardCount: number;
  readonly fate: Fate;
  /** As `EntryRules` has them. */
  readonly maxParallel: number;
  readonly tolerated: number;
  readonly maxConsecutive: number;
}

/** A plan, and what its phases would do. */
export interface FatedPlan {
  readonly cascades: boolean;
  /** Whether its time is limited: then it may be up at any moment. */
  readonly hasTimeLimit: boolean;
  /** What it may cost, where each shard costs 1; null: any amount. */
  readonly budget: number | null;
  /** By id, in declaration order. */
  readonly phases: Readonly<Record<string, FatedPhase>>;
}

/** What people may do to a run. */
export interface Interventions {
  readonly retries: number;
  readonly cancels: number;
  readonly reruns?: number;
}
