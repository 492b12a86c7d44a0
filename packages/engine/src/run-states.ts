import {
  applyDecision,
  type Decision,
  decideTogether,
  isEmptyDecision,
  PlanGraph,
  type PlannedRun,
  reliedOnBudget,
  restoreRunState,
  type RunState,
  type Trigger,
  updateRunState,
} from "@fanfold/core";
import type { CompiledPlan, Effect, PlanSource } from "@fanfold/schemas";
import { type CommitResult, type PlanTrust, runEdition, type RunStore } from "@fanfold/store";
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

/** Tries to commit a decision that somebody else was faster than, before it is left to others. */
const COMMIT_TRIES = 3;

/** Commits a decision that was made on a state; undefined when it would rather not. */
export type CommitDecision = (state: RunState, decision: Decision) => Promise<CommitResult | undefined>;

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
  /** Reading what has changed, while it waits for its turn. */
  catchingUp?: Promise<void> | undefined;
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
    if (slot.plan !== undefined) return slot.plan;
    const { edition } = slot;
    const { plan, ...rest } = await this.#runs.loadPlan(runId);
    const planned = { plan, graph: new PlanGraph(plan), ...rest };
    if (slot.edition === edition) slot.plan = planned;
    return planned;
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
    // a plan that turns out to be of another edition is dropped again
    const isLikely = this.#slot(runId).edition !== undefined;
    const [run, phases] = await Promise.all([
      this.#runs.get(runId),
      this.#runs.loadPhases(runId),
      isLikely ? this.plan(runId).catch(() => undefined) : undefined,
    ]);
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

  /**
   * Decides what triggers mean together on the state as it is kept, and has it committed in the caller's way. Kept state
   * may be behind: then what has changed is read, and it is decided again, a few times.
   *
   * @param triggers what has happened by the time of the decision, asked for each time; without any there is none
   * @param commit commits the decision; undefined when it would rather not
   * @returns whether it was committed
   */
  applyBy(runId: string, triggers: () => readonly Trigger[], commit: CommitDecision): Promise<boolean> {
    const slot = this.#slot(runId);
    const turn = slot.tail.then(() => this.#applyByInTurn(runId, slot, { triggers, commit }));
    slot.tail = turn.catch(() => undefined);
    return turn;
  }

  /** Reads what has changed of a run since it was last decided on here. For speed alone: the next decision is on time. */
  catchUp(runId: string): Promise<void> {
    const slot = this.#slot(runId);
    if (slot.catchingUp !== undefined) return slot.catchingUp;
    const turn = slot.tail.then(async () => {
      slot.catchingUp = undefined;
      slot.state = await this.#fresh(runId, slot);
    });
    slot.catchingUp = turn;
    slot.tail = turn.catch(() => undefined);
    return turn;
  }

  async #applyByInTurn(
    runId: string,
    slot: Slot,
    { triggers, commit }: { readonly triggers: () => readonly Trigger[]; readonly commit: CommitDecision },
  ): Promise<boolean> {
    for (let i = 0; i < COMMIT_TRIES; i += 1) {
      const kept = i === 0 ? slot.state : undefined;
      const state = kept ?? (await this.#fresh(runId, slot));
      slot.state = state;
      const nowMs = this.#clock.nowMs();
      const decision = this.#decide(state, triggers(), { nowMs, mayBeBehind: kept !== undefined });
      if (decision === undefined) continue;
      slot.state = undefined;
      const result = isEmptyDecision(decision) ? undefined : await commit(state, decision);
      slot.state = result?.kind === "committed" ? applyDecision(state, decision, result.version) : state;
      if (result?.kind !== "conflict") return result?.kind === "committed";
    }
    return false;
  }

  /** Undefined when a trigger makes no sense on a state that may be behind. */
  #decide(
    state: RunState,
    triggers: readonly Trigger[],
    { nowMs, mayBeBehind }: { nowMs: number; mayBeBehind: boolean },
  ): Decision | undefined {
    try {
      return decideTogether(state, triggers, nowMs);
    } catch (error) {
      if (mayBeBehind) return undefined;
      throw error;
    }
  }

  /** Somebody else was first, or the budget was spent meanwhile, which no version tells. */
  async #readOn(runId: string, slot: Slot, state: RunState): Promise<void> {
    slot.state = state;
    const fresh = await this.#fresh(runId, slot);
    slot.state = fresh.run.version === state.run.version ? undefined : fresh;
  }

  /** The state as it is stored now: the kept one, with what has changed since. */
  async #fresh(runId: string, slot: Slot): Promise<RunState> {
    const kept = slot.state;
    slot.state = undefined;
    const changes = kept === undefined ? undefined : await this.#runs.findChanges(runId, kept.run.version);
    if (kept !== undefined && changes === "same") return kept;
    if (kept === undefined || changes === undefined || changes === "same") return this.load(runId);
    if (runEdition(changes.run) !== runEdition(kept.run)) return this.load(runId);
    return updateRunState(kept, changes.run, changes.phases);
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
      const decision = this.#decide(basis, [trigger], { nowMs, mayBeBehind: wasKept });
      if (decision === undefined) {
        await this.#readOn(runId, slot, state);
        continue;
      }
      if (plan === undefined && isEmptyDecision(decision)) {
        if (wasKept && (await this.#hasMovedOn(runId, state))) continue;
        slot.state = state;
        return [];
      }
      const next = await this.#commit(runId, { state: basis, plan, source }, decision, nowMs);
      if (next === undefined) {
        await this.#readOn(runId, slot, state);
        continue;
      }
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
