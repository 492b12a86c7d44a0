import { type CompiledPhase, type CompiledSpawn, DEFAULT_MAX_SPAWN_DEPTH, DEFAULT_MAX_SPAWNED } from "@fanfold/schemas";

const USUAL_BOUNDS: CompiledSpawn = {
  spawnable: false,
  max_depth: DEFAULT_MAX_SPAWN_DEPTH,
  max_spawned: DEFAULT_MAX_SPAWNED,
};

/** What a phase may spawn, and whether others may spawn it. */
export function spawnOf({ spawn }: CompiledPhase): CompiledSpawn {
  return spawn ?? USUAL_BOUNDS;
}

/** How many spawns lie between a phase and the plan: 0 for a phase of the plan. */
export function depthOf({ spawned }: CompiledPhase): number {
  return spawned?.depth ?? 0;
}
