import { createHash } from "node:crypto";
import { type CompiledPhase, InstanceIdSchema, type SpawnedBy } from "@fanfold/schemas";
import type { PlanGraph } from "../plan/plan-graph.ts";
import { depthOf, spawnOf } from "./spawn-bounds.ts";

/** Characters of the spawn key that the id of a child shows. */
const SHOWN_KEY_CHARS = 40;
const HASH_CHARS = 12;

/** The attempt that spawns, and the key that tells its children apart. */
export type SpawnPlace = Pick<SpawnedBy, "phase" | "revision" | "shard" | "attempt" | "key">;

/**
 * Id of a child, such as `dev[spawned=round-1.0f3a9c27b1de]`. It follows from who spawned it, so that a request that
 * is carried out twice makes one child.
 */
export function spawnedPhaseId(copyOf: Pick<CompiledPhase, "template" | "matrix">, place: SpawnPlace): string {
  const { phase, revision, shard, attempt, key } = place;
  const name = JSON.stringify([phase, revision, shard, attempt, key]);
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_CHARS);
  const coordinates = Object.entries(copyOf.matrix).map(([dimension, value]) => `${dimension}=${value}`);
  const id = `${copyOf.template}[${[...coordinates, `spawned=${key.slice(0, SHOWN_KEY_CHARS)}.${hash}`].join(",")}]`;
  return InstanceIdSchema.safeParse(id).success ? id : `${copyOf.template}[spawned=${hash}]`;
}

/**
 * The phase that a spawned child is: its model's work, inputs and limits, without what ties that one to others. What it
 * fails with is its spawner's to answer for. A lock that its spawner holds covers it.
 *
 * @throws {CoreError} UNKNOWN_PHASE when the plan has no such spawner, or no such model
 */
export function spawnedPhase(graph: PlanGraph, id: string, by: Omit<SpawnedBy, "depth">): CompiledPhase {
  const spawner = graph.phase(by.phase);
  // what it makes depends on what it is asked for, which no fingerprint tells
  const { reuse: _reuse, ...model } = graph.phase(by.copy_of);
  const depth = depthOf(spawner) + 1;
  const { spawnable, max_depth, max_spawned } = spawnOf(model);
  const lock = model.lock !== null && isHeldAbove(graph, spawner, model.lock.name) ? null : model.lock;
  return {
    ...model,
    id,
    name: model.name === model.id ? id : model.name,
    takes_part: true,
    condition: null,
    depends_on: [],
    on_failure: "continue",
    critical: false,
    lock,
    spawn: { spawnable, max_depth: Math.min(spawnOf(spawner).max_depth, depth + max_depth), max_spawned },
    spawned: { ...by, depth },
  };
}

/** Whether a phase, or one that it was spawned by, runs under this lock. */
function isHeldAbove(graph: PlanGraph, phase: CompiledPhase, lock: string): boolean {
  if (phase.lock?.name === lock) return true;
  return phase.spawned !== undefined && isHeldAbove(graph, graph.phase(phase.spawned.phase), lock);
}
