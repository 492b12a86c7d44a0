import type { RunEngine, RunPlan } from "@fanfold/engine";
import type { CompiledPhase } from "@fanfold/schemas";
import type { Job } from "bullmq";
import type { ActiveAttempts } from "./active-attempts.ts";
import type { AttemptPlace } from "./execute-attempt.ts";
import type { FoldedShards } from "./ledger-shard-outputs.ts";

/** What the fold of a phase needs of its worker. */
export interface FoldContext extends AttemptPlace {
  readonly engine: RunEngine;
  readonly active: ActiveAttempts;
}

/** One fold: whose outputs, by which merge, for which job. */
export interface FoldTask extends FoldedShards {
  readonly plan: RunPlan;
  readonly phase: CompiledPhase;
  readonly job: Job;
  /** Ends the fold. */
  readonly signal: AbortSignal;
}
