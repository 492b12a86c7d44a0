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
import type { Effect } from "@fanfold/schemas";
import type { PlanTrust, RunStore } from "@fanfold/store";
import type { Clock } from "./clock.ts";

/** Runs whose state is kept in memory; the least recently used one gives way. */
const KEPT_RUNS = 200;

/** A plan that never changes, its DAG, and whether it is what was signed. */
export interface RunPlan extends PlannedRun {
  readonly trust: PlanTrust;
}

interface Slot {
  /** Creation of the run the rest is of, Unix ms; undefined until it is known. */
  createdAtMs: number | undefined;
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
      const { plan, trust } = await this.#runs.loadPlan(runId);
      slot.plan = { plan, graph: new PlanGraph(plan), trust };
    }
    return slot.plan;
  }

  /** Drops what is kept of another run of this id. @returns creation of the run, Unix ms; undefined when it is gone */
  async recall(runId: string): Promise<number | undefined> {
    const createdAtMs = await this.#runs.findCreated(runId);
    this.#keepOnly(runId, createdAtMs);
    return createdAtMs;
  }

  /** Drops what is kept of a run. */
  forget(runId: string): void {
    this.#slots.delete(runId);
  }

  /** The state of a run as stored now. @throws {StoreError} RUN_NOT_FOUND */
  async load(runId: string): Promise<RunState> {
    const [run, phases] = await Promise.all([this.#runs.get(runId), this.#runs.loadPhases(runId)]);
    this.#keepOnly(runId, run.created_at_ms);
    const planned = await this.plan(runId);
    return restoreRunState(planned, run, phases);
  }

  /**
   * Decides what a trigger means and commits it.
   *
   * @param version decide only if the run still is at this version: what the trigger says was true then
   * @returns what must now be done outside; empty when the trigger had had its effect already; `stale` when the
   *   run has moved on
   */
  apply(runId: string, trigger: Trigger, version?: number): Promise<readonly Effect[] | "stale"> {
    const slot = this.#slot(runId);
    const turn = slot.tail.then(() => this.#applyInTurn(runId, slot, { trigger, version }));
    slot.tail = turn.catch(() => undefined);
    return turn;
  }

  async #applyInTurn(
    runId: string,
    slot: Slot,
    { trigger, version }: { trigger: Trigger; version: number | undefined },
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
      const decision = decide(state, trigger, nowMs);
      if (isEmptyDecision(decision)) {
        if (wasKept && (await this.#hasMovedOn(runId, state))) continue;
        slot.state = state;
        return [];
      }
      const next = await this.#commit(runId, state, decision, nowMs);
      if (next === undefined) continue;
      slot.state = next;
      return decision.effects;
    }
  }

  async #commit(runId: string, state: RunState, decision: Decision, nowMs: number): Promise<RunState | undefined> {
    const basis = { version: state.run.version, budget: reliedOnBudget(state, decision) };
    const result = await this.#runs.commit(runId, basis, decision, nowMs);
    return result.kind === "conflict" ? undefined : applyDecision(state, decision, result.version);
  }

  /** A kept state may be behind: nothing to do there is no proof that there is nothing to do. */
  async #hasMovedOn(runId: string, state: RunState): Promise<boolean> {
    return (await this.#runs.get(runId)).version !== state.run.version;
  }

  /** Drops the plan and the state that are kept, unless they are of the run that was created then. */
  #keepOnly(runId: string, createdAtMs: number | undefined): void {
    const slot = this.#slot(runId);
    if (slot.createdAtMs === createdAtMs) return;
    slot.plan = undefined;
    slot.state = undefined;
    slot.createdAtMs = createdAtMs;
  }

  #slot(runId: string): Slot {
    const empty = { createdAtMs: undefined, plan: undefined, state: undefined, tail: Promise.resolve() };
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
