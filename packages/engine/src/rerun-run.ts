import {
  diffPlans,
  isPhaseOver,
  keepSpawned,
  PlanGraph,
  type PlanDiff,
  planRerun,
  type RerunPlan,
  type RerunReach,
  type RerunRequest,
  restoreRunState,
  type RunState,
} from "@fanfold/core";
import type { CompiledPlan, PlanSource } from "@fanfold/schemas";
import { carryOut } from "./carry-out.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { distrustPlan } from "./plan-trust.ts";

/** What somebody wants to run again. */
export interface RerunOrder {
  /** Ids of phases; that of a phase with a matrix stands for all its instances. Empty: whatever is out of date. */
  readonly phases: readonly string[];
  readonly reach: RerunReach;
  /** Plan that takes the place of the run's own, and what it was compiled from. */
  readonly plan?: { readonly compiled: CompiledPlan; readonly source?: PlanSource } | undefined;
}

/** What a rerun runs, and how its plan differs from the run's. */
export interface RerunPreview extends RerunPlan {
  readonly diff: PlanDiff | undefined;
}

/** What a rerun would do. */
export async function previewRerun(workings: EngineWorkings, runId: string, order: RerunOrder): Promise<RerunPreview> {
  return consider(await workings.states.load(runId), order).planned;
}

/** Carries a rerun out. Decided on the state as it is then: done twice at once, the second one finds nothing to do. */
export async function rerunRun(
  workings: EngineWorkings,
  runId: string,
  order: RerunOrder,
  actor: string,
): Promise<RerunPreview> {
  const state = await workings.states.load(runId);
  const { planned, request, compiled } = consider(state, order);
  const refused = [...planned.problems, ...checkPlanChange(state, planned.diff)];
  if (refused.length > 0) throw new EngineError("RERUN_REFUSED", refused.map(({ message }) => message).join("\n"));
  const isReplanned = planned.diff !== undefined && !isSamePlan(planned.diff);
  const distrust = isReplanned ? distrustPlan(runId, await workings.states.plan(runId)) : undefined;
  if (distrust !== undefined) throw new EngineError("RERUN_REFUSED", `${distrust.why}; ${distrust.next_action}`);
  if (planned.steps.length === 0 && !isReplanned) return planned;
  const counts = await workings.store.ledger.loadPhases(runId);
  const unfinished = new Map<string, number>();
  for (const [phase, { revision, total }] of counts) {
    if (revision > (state.phases.get(phase)?.revision ?? 0)) unfinished.set(phase, total);
  }
  const basis = {
    version: state.run.version,
    ...(isReplanned ? { replan: () => compiled, source: order.plan?.source } : {}),
  };
  const effects = await workings.states.apply(runId, { type: "rerun", request, actor, unfinished }, basis);
  if (effects === "stale") return rerunRun(workings, runId, order, actor);
  await carryOut(workings, runId, effects);
  return planned;
}

/** An order, looked at in the state of its run. */
interface Considered {
  readonly planned: RerunPreview;
  readonly request: RerunRequest;
  /** The plan of the order, with the phases that were spawned, which stay; undefined where the run keeps its own. */
  readonly compiled: CompiledPlan | undefined;
}

function consider(state: RunState, { phases, reach, plan }: RerunOrder): Considered {
  const compiled = plan === undefined ? undefined : keepSpawned(plan.compiled, state.plan);
  const diff = compiled === undefined ? undefined : diffPlans(state.plan, compiled);
  const replanned = compiled === undefined ? state : withPlan(state, compiled);
  const changed = diff?.changed ?? new Map<string, string>();
  const request = { phases: phases.flatMap((id) => instancesOf(replanned, id)), reach, changed };
  return { planned: { ...planRerun(replanned, request), diff }, request, compiled };
}

function withPlan({ run, phases }: RunState, plan: CompiledPlan): RunState {
  return restoreRunState({ plan, graph: new PlanGraph(plan) }, run, phases);
}

/** Instances of a phase; those that were spawned only when they are named themselves. */
function instancesOf({ graph }: RunState, id: string): readonly string[] {
  const instances = graph.instances(id);
  if (instances.length === 0) return [id];
  return instances.filter((one) => one === id || graph.phase(one).spawned === undefined);
}

function isSamePlan({ changed, rescheduled, removed }: PlanDiff): boolean {
  return changed.size === 0 && rescheduled.size === 0 && removed.length === 0;
}

/** What is at work must not be changed under its hands. */
function checkPlanChange({ phases }: RunState, diff: PlanDiff | undefined): { message: string }[] {
  if (diff === undefined) return [];
  const touched = [...diff.changed.keys(), ...diff.removed];
  return touched.flatMap((phase) => {
    const record = phases.get(phase);
    if (record === undefined || isPhaseOver(record.status) || record.status === "pending") return [];
    return [{ message: `phase ${phase} is running, and the plan changes it; wait for its end, or cancel it` }];
  });
}
