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
  const state = await workings.states.load(runId);
  return preview(state, withSpawned(state, order));
}

/** Carries a rerun out. Decided on the state as it is then: done twice at once, the second one finds nothing to do. */
export async function rerunRun(
  workings: EngineWorkings,
  runId: string,
  asked: RerunOrder,
  actor: string,
): Promise<RerunPreview> {
  const state = await workings.states.load(runId);
  const order = withSpawned(state, asked);
  const planned = preview(state, order);
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
  const request = requestOf(state, order);
  const { plan } = order;
  const basis = {
    version: state.run.version,
    ...(plan === undefined || !isReplanned ? {} : { replan: () => plan.compiled, source: plan.source }),
  };
  const effects = await workings.states.apply(runId, { type: "rerun", request, actor, unfinished }, basis);
  if (effects === "stale") return rerunRun(workings, runId, asked, actor);
  await carryOut(workings, runId, effects);
  return planned;
}

/** The phases that were spawned stay in the plan of the run. */
function withSpawned(state: RunState, order: RerunOrder): RerunOrder {
  const { plan } = order;
  return plan === undefined ? order : { ...order, plan: { ...plan, compiled: keepSpawned(plan.compiled, state.plan) } };
}

function preview(state: RunState, order: RerunOrder): RerunPreview {
  const diff = order.plan === undefined ? undefined : diffPlans(state.plan, order.plan.compiled);
  return { ...planRerun(replanned(state, order), requestOf(state, order)), diff };
}

function replanned(state: RunState, { plan }: RerunOrder): RunState {
  if (plan === undefined) return state;
  return restoreRunState({ plan: plan.compiled, graph: new PlanGraph(plan.compiled) }, state.run, state.phases);
}

function requestOf(state: RunState, order: RerunOrder): RerunRequest {
  const { plan, graph } = replanned(state, order);
  const changed = order.plan === undefined ? new Map<string, string>() : diffPlans(state.plan, plan).changed;
  const phases = order.phases.flatMap((id) => {
    const instances = graph.instances(id);
    return instances.length === 0
      ? [id]
      : instances.filter((one) => one === id || graph.phase(one).spawned === undefined);
  });
  return { phases, reach: order.reach, changed };
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
