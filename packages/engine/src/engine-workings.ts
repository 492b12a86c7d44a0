import type { Trigger } from "@fanfold/core";
import type { Store } from "@fanfold/store";
import type { Clock } from "./clock.ts";
import type { PhaseLocks } from "./phase-locks.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRepair } from "./run-repair.ts";
import type { RunStates } from "./run-states.ts";

/** What the parts of an engine share, and nobody else sees. */
export interface EngineWorkings {
  readonly engine: RunEngine;
  readonly store: Store;
  readonly states: RunStates;
  readonly locks: PhaseLocks;
  readonly repair: RunRepair;
  readonly clock: Clock;
  /** Decides what a trigger means, commits it and carries it out. */
  decideOn(runId: string, trigger: Trigger): Promise<void>;
}
