import { childrenState, maySpawn, type RunState, spawnedPhase } from "@fanfold/core";
import type { CompiledPlan, Failure, SpawnedChild } from "@fanfold/schemas";
import { jobIds, type ShardRef, shardId, shardQueue, type WaitingSpawner } from "@fanfold/store";
import { awaitedChildren } from "./await-children.ts";
import { carryOut } from "./carry-out.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { distrustPlan } from "./plan-trust.ts";
import type { RunPlan } from "./run-states.ts";

/**
 * Looks at a shard that spawned phases: adds them to the plan of the run and starts them, lets the shard go on when all
 * have succeeded, and fails it when one has not. Done twice, it changes nothing more: ids of children follow from who
 * spawned them. For schedulers only, as it may have to sign the plan.
 */
export async function carrySpawner(workings: EngineWorkings, runId: string, ref: ShardRef): Promise<void> {
  const { ledger } = workings.store;
  const record = await ledger.findShard(runId, ref);
  if (record?.status !== "spawned" || record.attempt === undefined) return;
  const spawner: WaitingSpawner = { ...ref, attempt: record.attempt };
  const children = awaitedChildren(record);
  const state = await startChildren(workings, runId, spawner, children);
  if (state === undefined) return;
  const ids = children.map(({ child }) => child);
  const verdict = childrenState(ids, (id) => state.phases.get(id));
  if (verdict.kind === "failed") return fail(workings, runId, spawner, childFailed(verdict.child, verdict.why));
  if (verdict.kind === "open") return;
  const claimant = `resume.${shardId(ref)}`;
  const resumption = { children: ids, claimant, nowMs: workings.clock.nowMs() };
  await workings.engine.release(runId, await ledger.resumeSpawner(runId, spawner, resumption), claimant);
}

/** The run with all the children in its plan; undefined when they may not start, or will not. */
async function startChildren(
  workings: EngineWorkings,
  runId: string,
  spawner: WaitingSpawner,
  children: readonly SpawnedChild[],
): Promise<RunState | undefined> {
  const { states } = workings;
  const { phase, revision } = spawner;
  const state = await states.load(runId);
  if (!maySpawn(state, phase, revision)) return undefined;
  if (missing(state, children).length === 0) return state;
  const refusal = refuse(runId, await states.plan(runId));
  if (refusal !== undefined) {
    await fail(workings, runId, spawner, refusal);
    return undefined;
  }
  const trigger = { type: "spawned", phase, revision, children: children.map(({ child }) => child) } as const;
  const effects = await states.apply(runId, trigger, { replan: (now) => withChildren(now, spawner, children) });
  if (effects !== "stale") await carryOut(workings, runId, effects);
  return states.load(runId);
}

/** The plan with the children it lacks, at its end; undefined when it lacks none, or they may not start. */
function withChildren(
  state: RunState,
  spawner: WaitingSpawner,
  children: readonly SpawnedChild[],
): CompiledPlan | undefined {
  const { phase, revision, shard } = spawner;
  const lacking = missing(state, children);
  if (lacking.length === 0 || !maySpawn(state, phase, revision)) return undefined;
  const added = lacking.map(({ child, ...asked }) =>
    spawnedPhase(state.graph, child, { phase, revision, shard, ...asked }),
  );
  return { ...state.plan, phases: [...state.plan.phases, ...added] };
}

function missing({ phases }: RunState, children: readonly SpawnedChild[]): SpawnedChild[] {
  return children.filter(({ child }) => !phases.has(child));
}

/** As a failure of the spawner, where the plan must not be changed. */
function refuse(runId: string, plan: RunPlan): Failure | undefined {
  const distrust = distrustPlan(runId, plan);
  return distrust === undefined ? undefined : { error_code: "SPAWN_REFUSED", ...distrust };
}

function childFailed(child: string, why: string): Failure {
  return {
    error_code: "CHILD_FAILED",
    why,
    next_action: `look at ${child}; a retry of either runs it again, and then goes on`,
  };
}

async function fail(workings: EngineWorkings, runId: string, spawner: WaitingSpawner, failure: Failure): Promise<void> {
  const { ledger, queues } = workings.store;
  const { graph } = await workings.states.plan(runId);
  await ledger.failSpawner(runId, spawner, failure, workings.clock.nowMs());
  await queues.wakeShard(shardQueue(graph.phase(spawner.phase).pool), jobIds.shard(runId, spawner));
  await workings.engine.report(runId, spawner);
}
