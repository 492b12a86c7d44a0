import type { Cause, DraftEvent, Effect, PhaseRecord, PhaseStatus, RunRecord } from "@fanfold/schemas";
import { awaitsApproval } from "./approval.ts";
import { type Decision, phaseRecord, type RunState } from "./run-state.ts";
import { isPhaseOver, movePhase } from "./transitions.ts";

/** A decision in the making: an overlay over the state, nothing of which is changed. */
export class DecisionDraft {
  /** The run as it was before. */
  readonly state: RunState;
  /** Time of the decision, Unix ms. */
  readonly nowMs: number;
  readonly #phases = new Map<string, PhaseRecord>();
  readonly #revisions = new Map<string, PhaseRecord>();
  readonly #events: DraftEvent[] = [];
  readonly #effects: Effect[] = [];
  readonly #affected: string[] = [];
  #run: Partial<RunRecord> = {};
  #costUsd: number;

  constructor(state: RunState, nowMs: number) {
    this.state = state;
    this.nowMs = nowMs;
    this.#costUsd = state.run.cost_usd ?? 0;
  }

  /** What has been decided so far. */
  get decision(): Decision {
    return {
      run: this.#run,
      phases: this.#phases,
      revisions: this.#revisions,
      events: this.#events,
      effects: this.#effects,
    };
  }

  /** The run with what has been decided so far. */
  get runNow(): RunRecord {
    return { ...this.state.run, ...this.#run };
  }

  /** What the attempts of the run have cost so far, in USD. */
  get costUsd(): number {
    return this.#costUsd;
  }

  /**
   * Phases to look at once everything else has moved, so that all that start do so in declaration order. Grows while
   * it is walked through.
   */
  get affected(): readonly string[] {
    return this.#affected;
  }

  /** Phases that are pending or running. */
  get unfinished(): number {
    let { unfinished } = this.state;
    for (const [id, record] of this.#phases) {
      if (!isPhaseOver(phaseRecord(this.state, id).status)) unfinished -= 1;
      if (!isPhaseOver(record.status)) unfinished += 1;
    }
    return unfinished;
  }

  /** Brings the run's count of phases that wait for a person up to date. */
  countApprovals(): void {
    const before = this.state.run.waiting_approvals ?? 0;
    let after = before;
    for (const [id, record] of this.#phases) {
      after += Number(awaitsApproval(record)) - Number(awaitsApproval(phaseRecord(this.state, id)));
    }
    if (after !== before) this.changeRun({ waiting_approvals: after });
  }

  /** A phase with what has been decided so far. @throws {CoreError} UNKNOWN_PHASE */
  record(id: string): PhaseRecord {
    return this.#phases.get(id) ?? phaseRecord(this.state, id);
  }

  changeRun(change: Partial<RunRecord>): void {
    this.#run = { ...this.#run, ...change };
  }

  /** Moves a phase, through the one function that refuses illegal moves, and keeps its times. */
  move(id: string, to: PhaseStatus, extra: Partial<PhaseRecord>): void {
    const { cause: _cause, finished_at_ms: _finished, asked: _asked, ...kept } = this.record(id);
    const next: PhaseRecord = { ...kept, status: movePhase(id, this.record(id).status, to), ...extra };
    if (to === "running" && next.started_at_ms === undefined) next.started_at_ms = this.nowMs;
    if (isPhaseOver(to)) next.finished_at_ms = this.nowMs;
    this.#phases.set(id, next);
    if (isPhaseOver(to) && next.started_at_ms !== undefined && this.state.graph.phase(id).lock !== null) {
      const revision = to === "succeeded" ? next.revision : next.revision + 1;
      this.ask({ kind: "release_lock", phase: id, revision });
    }
    const { spawned } = this.state.graph.phase(id);
    if (spawned === undefined || !isPhaseOver(to)) return;
    const { phase, revision, shard } = spawned;
    this.ask({ kind: "resume_spawner", phase, revision, shard });
  }

  /** Changes what is known of a phase without moving it. */
  amend(id: string, change: (record: PhaseRecord) => PhaseRecord): void {
    this.#phases.set(id, change(this.record(id)));
  }

  /** An accepted revision goes into the history, because the phase is run again. */
  archive(id: string): void {
    const record = this.record(id);
    this.#revisions.set(`${id}.r${record.revision}`, record);
  }

  /** Gives another reason for where a phase is. */
  blame(id: string, cause: Cause): void {
    this.#phases.set(id, { ...this.record(id), cause });
  }

  /** The attempts of the run have cost at least this much, in USD. */
  noteCost(costUsd: number): void {
    this.#costUsd = Math.max(this.#costUsd, costUsd);
  }

  /** Writes an event into the journal. */
  emit(event: DraftEvent): void {
    this.#events.push(event);
  }

  /** Asks for something outside of the run's records. */
  ask(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Has these phases looked at again. */
  affects(phases: readonly string[]): void {
    for (const id of phases) this.#affected.push(id);
  }

  /** Looks again at what waits for the end of a phase: by an edge, or because its condition names it. */
  affectsWhatWaits(id: string): void {
    this.affects(this.state.graph.dependents(id).map(({ phase }) => phase));
    this.affects(this.state.graph.conditionReaders(id));
  }
}
