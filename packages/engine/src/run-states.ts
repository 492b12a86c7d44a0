import {
  applyDecision,
  type Decision,
  decide,
  isEmptyDecision,
  PlanGraph,
  type PlannedRun,
  reliedOnBudget,
  restoreRunState,
  type RunState,
  type Trigger,
} from "@fanfold/core";
import type { CompiledPlan, Effect, PlanSource } from "@fanfold/schemas";
import { type PlanTrust, runEdition, type RunStore } from "@fanfold/store";
import type { Clock } from "./clock.ts";
import { EngineError } from "./engine-error.ts";

const BUSY = "shards of a phase that is to run again are still at work; wait for their end, or cancel the phase";

/** Runs whose state is kept in memory; the least recently used one gives way. */
const KEPT_RUNS = 200;

/** The plan of a run, its DAG, and whether it is what was signed. */
export interface RunPlan extends PlannedRun {
  readonly trust: PlanTrust;
  /** Whether it has a signature, be it a good one or not. */
  readonly hasSignature: boolean;
}

/** What a decision is made on, besides the state of the run. */
export interface DecisionBasis {
  readonly version?: number | undefined;
  readonly replan?: (state: RunState) => CompiledPlan | undefined;
  /** What the plan that `replan` gives was compiled from. */
  readonly source?: PlanSource | undefined;
}

interface Slot {
  /** Edition of the run the rest is of; undefined until it is known. */
  edition: string | undefined;
  plan: RunPlan | undefined;
  state: RunState | undefined;
  /** Decisions of one process on one run happen one after another. */
  tail: Promise<unknown>;
}

/**
 * The states of runs, decided on in memory and committed by compare-and-set. Any number of processes may
 * decide on the same run: a commit on an outdated version is refused, and the decision is made again on the
 * state as it is now.
 */
export class RunStates {
  readonly #runs: RunStore;
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();

  constructor(runs: RunStore, clock: Clock) {
    this.#runs = runs;
    this.#clock = clock;
  }

  /** The plan of a run. @throws {StoreError} RUN_NOT_FOUND */
  async plan(runId: string): Promise<RunPlan> {
    const slot = this.#slot(runId);
    if (slot.plan === undefined) {
      const { plan, ...rest } = await this.#runs.loadPlan(runId);
      slot.plan = { plan, graph: new PlanGraph(plan), ...rest };
    }
    return slot.plan;
  }

  /** Drops what is kept of another edition of the run. @returns the edition now; undefined when the run is gone */
  async recall(runId: string): Promise<string | undefined> {
    const edition = await this.#runs.findEdition(runId);
    this.#keepOnly(runId, edition);
    return edition;
  }

  /** Drops what is kept of a run. */
  forget(runId: string): void {
    this.#slots.delete(runId);
  }

  /** The state of a run as stored now. @throws {StoreError} RUN_NOT_FOUND */
  async load(runId: string): Promise<RunState> {
    const [run, phases] = await Promise.all([this.#runs.get(runId), this.#runs.loadPhases(runId)]);
    this.#keepOnly(runId, runEdition(run));
    const planned = await this.plan(runId);
    return restoreRunState(planned, run, phases);
  }

  /**
   * Decides what a trigger means and commits it.
   *
   * @param basis.version decide only if the run still is at this version: what the trigger says was true then
   * @param basis.replan gives the plan that takes the place of the run's own, which the decision is made on; asked again
   *   when somebody else was first, and it may then want no change any more
   * @returns what must now be done outside; empty when the trigger had had its effect already; `stale` when the
   *   run has moved on
   */
  apply(runId: string, trigger: Trigger, basis: DecisionBasis = {}): Promise<readonly Effect[] | "stale"> {
    const slot = this.#slot(runId);
    const turn = slot.tail.then(() => this.#applyInTurn(runId, slot, { trigger, ...basis }));
    slot.tail = turn.catch(() => undefined);
    return turn;
  }

  async #applyInTurn(
    runId: string,
    slot: Slot,
    { trigger, version, replan, source }: DecisionBasis & { readonly trigger: Trigger },
  ): Promise<readonly Effect[] | "stale"> {
    for (;;) {
      const wasKept = slot.state !== undefined;
      const state = slot.state ?? (await this.load(runId));
      // forgotten first: whatever fails below, the next decision starts from what is stored
      slot.state = undefined;
      if (version !== undefined && state.run.version !== version) {
        if (wasKept && state.run.version < version) continue;
        slot.state = state;
        return "stale";
      }
      const nowMs = this.#clock.nowMs();
      const plan = replan?.(state);
      const basis = plan === undefined ? state : withPlan(state, plan);
      const decision = decide(basis, trigger, nowMs);
      if (plan === undefined && isEmptyDecision(decision)) {
        if (wasKept && (await this.#hasMovedOn(runId, state))) continue;
        slot.state = state;
        return [];
      }
      const next = await this.#commit(runId, { state: basis, plan, source }, decision, nowMs);
      if (next === undefined) continue;
      if (plan === undefined) slot.state = next;
      else this.forget(runId);
      return decision.effects;
    }
  }

  async #commit(
    runId: string,
    { state, plan, source }: { state: RunState; plan: CompiledPlan | undefined; source: PlanSource | undefined },
    decision: Decision,
    nowMs: number,
  ): Promise<RunState | undefined> {
    const basis = {
      version: state.run.version,
      budget: reliedOnBudget(state, decision),
      plan,
      source,
      planRevision: state.run.plan_revision - (plan === undefined ? 0 : 1),
    };
    const result = await this.#runs.commit(runId, basis, decision, nowMs);
    if (result.kind === "busy") throw new EngineError("PHASE_BUSY", BUSY);
    return result.kind === "conflict" ? undefined : applyDecision(state, decision, result.version);
  }

  /** A kept state may be behind: nothing to do there is no proof that there is nothing to do. */
  async #hasMovedOn(runId: string, state: RunState): Promise<boolean> {
    return (await this.#runs.get(runId)).version !== state.run.version;
  }

  /** Drops the plan and the state that are kept, unless they are of this edition of the run. */
  #keepOnly(runId: string, edition: string | undefined): void {
    const slot = this.#slot(runId);
    if (slot.edition === edition) return;
    slot.plan = undefined;
    slot.state = undefined;
    slot.edition = edition;
  }

  #slot(runId: string): Slot {
    const empty = { edition: undefined, plan: undefined, state: undefined, tail: Promise.resolve() };
    const slot = this.#slots.get(runId) ?? empty;
    this.#slots.delete(runId);
    this.#slots.set(runId, slot);
    if (this.#slots.size > KEPT_RUNS) {
      const [oldest] = this.#slots.keys();
      if (oldest !== undefined) this.#slots.delete(oldest);
    }
    return slot;
  }
}

/** The state of a run as it is with another plan. */
function withPlan({ run, phases }: RunState, plan: CompiledPlan): RunState {
  const replanned = { ...run, plan_revision: run.plan_revision + 1 };
  return restoreRunState({ plan, graph: new PlanGraph(plan) }, replanned, phases);
}
