import type { Cause, CompiledPhase, DraftEvent, Effect, PhaseRecord, PhaseStatus, RunRecord } from "@fanfold/schemas";
import { assertNever } from "../core-error.ts";
import { evaluateCondition } from "./condition.ts";
import { missingDependencies, phaseReadiness } from "./readiness.ts";
import { conditionDecided, hasBegun, victimsOf, wasLeftOut } from "./reopening.ts";
import { isBudgetSpent, isOwnLimit, timeLimitOf, whyBudgetSpent } from "./run-limits.ts";
import { type Decision, phaseRecord, type RunState, type Trigger } from "./run-state.ts";
import { isPhaseOver, isRunOver, movePhase, moveRun } from "./transitions.ts";

/**
 * Decides what a trigger means for a run: which phases start, are skipped or cancelled, whether the run
 * ends, what to write in the journal and what to do outside. Pure, and idempotent: a trigger that has
 * already had its effect gives an empty decision. (Only `phase_drained` of a phase that goes on asks for
 * the same release again, and so do `reopen` of a phase whose condition fails once more, and of one whose run is
 * aborted once more in the same decision.) A trigger may come late, after what it tells of was retried by hand.
 *
 * @param nowMs time of the decision, Unix ms
 * @throws {CoreError} when the trigger asks for an illegal move
 */
export function decide(state: RunState, trigger: Trigger, nowMs: number): Decision {
  const draft = new DecisionDraft(state, nowMs);
  draft.handle(trigger);
  return draft.finish();
}

/** A failed phase that its author declared harmless does not fail the run. */
export function isTolerated(phase: CompiledPhase): boolean {
  return !phase.critical && phase.on_failure === "continue";
}

/** Whether the failure of a phase ends the run at once. */
function abortsRun(phase: CompiledPhase): boolean {
  return phase.critical && phase.on_failure === "abort";
}

const EVENT_OF_END = {
  succeeded: "run_succeeded",
  failed: "run_failed",
  cancelled: "run_cancelled",
} as const;

/** A decision in the making: an overlay over the state, nothing of which is changed. */
class DecisionDraft {
  readonly #state: RunState;
  readonly #nowMs: number;
  readonly #phases = new Map<string, PhaseRecord>();
  readonly #events: DraftEvent[] = [];
  readonly #effects: Effect[] = [];
  /** Phases to look at once everything else has moved, so that all that start do so in declaration order. */
  readonly #affected: string[] = [];
  #run: Partial<RunRecord> = {};
  #costUsd: number;

  constructor(state: RunState, nowMs: number) {
    this.#state = state;
    this.#nowMs = nowMs;
    this.#costUsd = state.run.cost_usd ?? 0;
  }

  handle(trigger: Trigger): void {
    switch (trigger.type) {
      case "start":
        return this.#start();
      case "phase_succeeded":
        return this.#succeeded(trigger);
      case "phase_failed":
        return this.#failed(trigger);
      case "phase_drained":
        return this.#drained(trigger.phase, trigger.revision, trigger.isRecalled ?? false);
      case "shard_failed":
        return this.#shardFailed(trigger.phase, trigger.revision, trigger.why);
      case "cancel":
        return this.#cancel();
      case "cancel_phase":
        return this.#cancelPending(trigger.phase);
      case "pause":
        return this.#pause(trigger.actor);
      case "resume":
        return this.#resume(trigger.actor);
      case "timeout":
        return this.#timeOut(trigger.atMs);
      case "budget_spent":
        this.#costUsd = Math.max(this.#costUsd, trigger.costUsd);
        return;
      case "reopen":
        return this.#reopen(trigger.phase, trigger.actor);
      default:
        return assertNever(trigger, "trigger");
    }
  }

  finish(): Decision {
    this.#advance();
    this.#endRunIfOver();
    return { run: this.#run, phases: this.#phases, events: this.#events, effects: this.#effects };
  }

  #start(): void {
    if (this.#runNow().status !== "queued") return;
    this.#run = { ...this.#run, status: moveRun(this.#runId(), "queued", "running"), started_at_ms: this.#nowMs };
    this.#emit({ event: "run_started" });
    this.#giveTime();
    this.#leaveOut();
    this.#affects(this.#state.graph.ids);
  }

  /** The run has its whole time from now on. */
  #giveTime(): void {
    const limit = timeLimitOf(this.#state.plan, this.#nowMs);
    if (limit === undefined) return;
    this.#run = { ...this.#run, timeout_at_ms: limit.at_ms };
    this.#effects.push({ kind: "schedule_timeout", ...limit });
  }

  /** What takes no part is skipped, and what cannot do without it is blocked: before anything starts. */
  #leaveOut(): void {
    const { graph } = this.#state;
    for (const id of graph.ids) if (!graph.phase(id).takes_part) this.#skip(id, { code: "not_selected" });
    for (const id of graph.ids) {
      if (this.#record(id).status !== "pending") continue;
      const missing = missingDependencies(
        graph.phase(id),
        (of) => this.#record(of),
        (of) => graph.phase(of),
      );
      const [first] = missing;
      if (first === undefined) continue;
      const message = `needs ${missing.join(", ")}, which take no part in this run and have no output yet`;
      this.#move(id, "blocked", { cause: { code: "missing_dependency", phase: first, message } });
      this.#emit({ event: "phase_blocked", phase: id, data: { error_code: "missing_dependency", missing } });
    }
  }

  #succeeded(trigger: Trigger & { type: "phase_succeeded" }): void {
    const record = this.#record(trigger.phase);
    if (record.revision >= trigger.revision) return;
    const { stop, stop_phase } = this.#runNow();
    if (record.status !== "running" && stop === "cancel") return;
    // it was retried by hand while it was given up, or while the run was aborted because of it
    if (record.status !== "running" || stop_phase === trigger.phase) this.#reopen(trigger.phase, "engine");
    this.#move(trigger.phase, "succeeded", { revision: trigger.revision, artifacts: [...trigger.artifacts] });
    for (const { name, sha256, size_bytes } of trigger.artifacts) {
      const data = { name, sha256, size_bytes, revision: trigger.revision };
      this.#emit({ event: "artifact_persisted", phase: trigger.phase, data });
    }
    const data = { ...this.#phaseData(record, trigger.revision), tolerated_shards: trigger.toleratedShards };
    this.#emit({ event: "phase_succeeded", phase: trigger.phase, data });
    this.#affectsWhatWaits(trigger.phase);
  }

  #failed(trigger: Trigger & { type: "phase_failed" }): void {
    const record = this.#record(trigger.phase);
    if (record.status !== "running" || record.revision >= trigger.revision) return;
    if (trigger.cause.code === "merge_rejected") {
      const data = { error_code: "MERGE_REJECTED", why: trigger.cause.message ?? "" };
      this.#emit({ event: "artifact_rejected", phase: trigger.phase, data });
    }
    this.#fail(trigger.phase, trigger.cause, trigger.failedShards);
    this.#affectsWhatWaits(trigger.phase);
  }

  #fail(id: string, cause: Cause, failedShards: number): void {
    const phase = this.#state.graph.phase(id);
    const why = cause.message ?? cause.code;
    this.#move(id, "failed", { cause });
    const data = { error_code: cause.code, why, failed_shards: failedShards, tolerated: isTolerated(phase) };
    this.#emit({ event: "phase_failed", phase: id, data });
    if (abortsRun(phase)) this.#abort(id, why);
  }

  #drained(phase: string, revision: number, isRecalled: boolean): void {
    const record = this.#record(phase);
    if (record.status !== "running" || record.revision >= revision) return;
    const { stop, stop_phase } = this.#runNow();
    if (stop === null && isRecalled) this.#giveUp(phase);
    // the stop that cancelled its shards has been lifted
    else if (stop === null) this.#resumeRelease(phase);
    // the run was aborted because of it, and yet nothing of it has failed: it was retried by hand meanwhile
    else if (stop_phase === phase) this.#reopen(phase, "engine");
    else this.#cancelPhase(phase, this.#stopCause());
  }

  #shardFailed(phase: string, revision: number, why: string): void {
    const record = this.#record(phase);
    if (record.status !== "running" || record.revision >= revision) return;
    if (abortsRun(this.#state.graph.phase(phase))) this.#abort(phase, why);
  }

  /** A phase that somebody cancelled: what needs its success is skipped. */
  #giveUp(phase: string): void {
    this.#cancelPhase(phase, { code: "cancel_requested", phase });
    this.#affectsWhatWaits(phase);
  }

  #cancelPending(phase: string): void {
    if (!isRunOver(this.#runNow().status) && this.#record(phase).status === "pending") this.#giveUp(phase);
  }

  #abort(phase: string, why: string): void {
    if (this.#runNow().stop !== null) return;
    const cascades = this.#cascades();
    this.#run = { ...this.#run, stop: "abort", stop_phase: phase, stop_kills: cascades };
    this.#emit({ event: "plan_aborted", phase, data: { why } });
    this.#stopEverything(cascades);
  }

  #cancel(): void {
    const run = this.#runNow();
    if (isRunOver(run.status) || run.stop === "cancel") return;
    this.#run = { ...this.#run, stop: "cancel", stop_phase: null, stop_kills: true };
    this.#stopEverything(true);
  }

  #pause(actor: string): void {
    const run = this.#runNow();
    if (isRunOver(run.status) || run.paused) return;
    this.#run = { ...this.#run, paused: true };
    this.#emit({ event: "run_paused", data: { actor } });
    this.#effects.push({ kind: "pause_release" });
  }

  #resume(actor: string): void {
    if (!this.#runNow().paused) return;
    this.#run = { ...this.#run, paused: false };
    this.#emit({ event: "run_resumed", data: { actor } });
    this.#effects.push({ kind: "resume_run" });
  }

  #timeOut(atMs: number | undefined): void {
    const run = this.#runNow();
    if (isRunOver(run.status) || run.stop === "cancel" || run.stop === "timeout") return;
    // the run was given more time since this was set
    if (atMs !== undefined && run.timeout_at_ms !== undefined && run.timeout_at_ms !== atMs) return;
    if (run.status === "queued") this.#leaveOut();
    this.#run = { ...this.#run, stop: "timeout", stop_phase: null, stop_kills: true };
    this.#emit({ event: "plan_aborted", data: { why: `the run took longer than ${this.#state.plan.timeout_sec} s` } });
    if (run.stop_phase !== null) this.#blameLimitFor(run.stop_phase);
    this.#stopEverything(true);
  }

  /** The time limit takes the place of an abort whose phase may yet do well: what that cancelled is left out by the limit. */
  #blameLimitFor(aborter: string): void {
    if (this.#record(aborter).status !== "running") return;
    for (const id of this.#state.graph.ids) {
      const record = this.#record(id);
      const isVictim = record.status === "cancelled" && record.cause?.phase === aborter;
      if (isVictim) this.#phases.set(id, { ...record, cause: this.#stopCause() });
    }
  }

  #isBudgetSpent(): boolean {
    const run = this.#runNow();
    return !isRunOver(run.status) && run.stop === null && isBudgetSpent(this.#state.plan, run, this.#costUsd);
  }

  #stopAtBudget(): void {
    if (this.#runNow().status === "queued") this.#leaveOut();
    this.#run = { ...this.#run, stop: "budget", stop_phase: null, stop_kills: false };
    const why = whyBudgetSpent(this.#state.plan, this.#runNow(), this.#costUsd);
    this.#emit({ event: "plan_aborted", data: { why } });
    this.#stopEverything(false);
  }

  #stopEverything(kill: boolean): void {
    for (const id of this.#state.graph.ids) {
      if (this.#record(id).status === "pending") this.#cancelPhase(id, this.#stopCause());
    }
    this.#effects.push({ kind: "stop_release", kill });
  }

  /** A retry by hand: the phase carries on, and so does everything that had not run because of it. */
  #reopen(phase: string, actor: string): void {
    const run = this.#runNow();
    const record = this.#record(phase);
    if (run.stop === "cancel" || !(hasBegun(record) || wasLeftOut(record))) return;
    if (isRunOver(run.status)) this.#reopenRun(run, { phase, actor });
    if (isRunOver(run.status) || run.stop === "timeout") this.#giveTime();
    if (isBudgetSpent(this.#state.plan, run, this.#costUsd))
      this.#run = { ...this.#run, budget_from_usd: this.#costUsd };
    if (run.stop !== null) this.#liftStop();
    const wasKeptOut = wasRecalled(phase, record.cause) && !hasBegun(record);
    if (wasKeptOut || conditionDecided(phase, record)) this.#restore(phase, phase);
    else if (hasBegun(record) && this.#record(phase).status !== "running") this.#resumePhase(phase, phase);
    this.#restoreBecauseOf(phase);
  }

  #reopenRun(run: RunRecord, { phase, actor }: { phase: string; actor: string }): void {
    this.#run = {
      ...this.#run,
      status: moveRun(this.#runId(), run.status, "running"),
      started_at_ms: run.started_at_ms ?? this.#nowMs,
      finished_at_ms: null,
    };
    this.#emit({ event: "run_reopened", phase, data: { actor } });
  }

  /** Lets the run go on, and with it the running phases, of which the stop held back or cancelled shards. */
  #liftStop(): void {
    const { stop_phase } = this.#runNow();
    this.#run = { ...this.#run, stop: null, stop_phase: null, stop_kills: false };
    for (const id of this.#state.graph.ids) if (this.#record(id).status === "running") this.#resumeRelease(id);
    // it has not failed yet; once it does, the run is aborted again
    if (stop_phase !== null && this.#record(stop_phase).status === "running") this.#restoreBecauseOf(stop_phase);
  }

  #restoreBecauseOf(culprit: string): void {
    for (const id of victimsOf(this.#state.graph, culprit, (of) => this.#record(of))) {
      if (this.#record(id).started_at_ms !== undefined) this.#resumePhase(id, culprit);
      else this.#restore(id, culprit);
    }
  }

  /** A phase that never started waits again, and its condition is asked again. */
  #restore(id: string, culprit: string): void {
    this.#move(id, "pending", {});
    this.#emit({ event: "phase_reopened", phase: id, data: { cause_phase: culprit, status: "pending" } });
    this.#affects([id]);
  }

  #resumePhase(phase: string, culprit: string): void {
    this.#move(phase, "running", {});
    this.#emit({ event: "phase_reopened", phase, data: { cause_phase: culprit, status: "running" } });
    this.#resumeRelease(phase);
  }

  #resumeRelease(phase: string): void {
    this.#effects.push({ kind: "resume_release", phase, revision: this.#record(phase).revision + 1 });
  }

  #affects(phases: readonly string[]): void {
    for (const id of phases) this.#affected.push(id);
  }

  /** Looks again at what waits for the end of a phase: by an edge, or because its condition names it. */
  #affectsWhatWaits(id: string): void {
    this.#affects(this.#state.graph.dependents(id).map(({ phase }) => phase));
    this.#affects(this.#state.graph.conditionReaders(id));
  }

  /** Starts or skips the pending ones of the affected phases; a skip affects more of them. A spent budget starts none. */
  #advance(): void {
    const ready = new Set<string>();
    for (const id of this.#affected) {
      if (this.#record(id).status !== "pending" || ready.has(id)) continue;
      const verdict = phaseReadiness(
        this.#state.graph.phase(id),
        (source) => this.#record(source),
        (source) => this.#state.graph.phase(source),
      );
      if (verdict.kind === "ready" && this.#passesCondition(id)) ready.add(id);
      if (verdict.kind === "never") this.#skip(id, verdict.cause);
      if (isPhaseOver(this.#record(id).status)) this.#affectsWhatWaits(id);
    }
    if (this.#unfinished() > 0 && this.#isBudgetSpent()) return this.#stopAtBudget();
    const inOrder = [...ready].sort((a, b) => this.#state.graph.index(a) - this.#state.graph.index(b));
    for (const id of inOrder) this.#startPhase(id);
  }

  /**
   * A phase whose condition is false is skipped; one whose condition makes no sense has failed. While a phase that
   * the condition names is being retried there is no answer yet.
   */
  #passesCondition(id: string): boolean {
    const { graph, plan } = this.#state;
    const phase = graph.phase(id);
    if (phase.condition === null) return true;
    const named = new Map(graph.conditionPhases(id).map((of) => [of, this.#record(of)]));
    if (![...named.values()].every(({ status }) => isPhaseOver(status))) return false;
    const facts = { variables: plan.variables, phases: named };
    const verdict = evaluateCondition(phase, facts);
    if (verdict.kind === "false") this.#skip(id, { code: "condition_false", phase: id });
    if (verdict.kind === "failed") this.#fail(id, { code: "condition_failed", message: verdict.why }, 0);
    return verdict.kind === "true";
  }

  #skip(id: string, cause: Cause): void {
    this.#move(id, "skipped", { cause });
    this.#emit({ event: "phase_skipped", phase: id, data: causeData(cause) });
  }

  #startPhase(id: string): void {
    if (this.#record(id).status !== "pending") return;
    const { revision } = this.#record(id);
    this.#move(id, "running", {});
    this.#effects.push({ kind: "open_phase", phase: id, revision: revision + 1 });
  }

  #cancelPhase(id: string, cause: Cause): void {
    this.#move(id, "cancelled", { cause });
    this.#emit({ event: "phase_cancelled", phase: id, data: causeData(cause) });
  }

  #stopCause(): Cause {
    const { stop, stop_phase } = this.#runNow();
    if (stop === "timeout") return { code: "run_timeout" };
    if (stop === "budget") return { code: "budget_spent" };
    if (stop !== "abort" || stop_phase === null) return { code: "cancel_requested" };
    return { code: "plan_aborted", phase: stop_phase };
  }

  #endRunIfOver(): void {
    const run = this.#runNow();
    if (isRunOver(run.status) || this.#unfinished() > 0) return;
    const failed = this.#state.graph.ids.filter((id) => isFailure(id, this.#record(id)));
    const harmful = failed.filter((id) => !isTolerated(this.#state.graph.phase(id)));
    const hasLeftOut = this.#state.graph.ids.some((id) => isLeftOut(id, this.#record(id)));
    const status = run.stop === "cancel" ? "cancelled" : harmful.length > 0 || hasLeftOut ? "failed" : "succeeded";
    const tolerated = failed.length - harmful.length;
    this.#run = {
      ...this.#run,
      status: moveRun(this.#runId(), run.status, status),
      finished_at_ms: this.#nowMs,
      tolerated_failures: tolerated,
      ...(run.paused ? { paused: false } : {}),
    };
    const durationMs = this.#nowMs - (run.started_at_ms ?? run.created_at_ms);
    this.#emit({
      event: EVENT_OF_END[status],
      data: {
        duration_ms: durationMs,
        tolerated_failures: tolerated,
        failed_phases: failed,
        ...(hasLeftOut && isOwnLimit(run.stop) ? { cause: this.#stopCause().code } : {}),
      },
    });
    this.#effects.push({ kind: "finish_run" });
  }

  #unfinished(): number {
    let { unfinished } = this.#state;
    for (const [id, record] of this.#phases) {
      if (!isPhaseOver(phaseRecord(this.#state, id).status)) unfinished -= 1;
      if (!isPhaseOver(record.status)) unfinished += 1;
    }
    return unfinished;
  }

  /** Moves a phase, through the one function that refuses illegal moves, and keeps its times. */
  #move(id: string, to: PhaseStatus, extra: Partial<PhaseRecord>): void {
    const { cause: _cause, finished_at_ms: _finished, ...kept } = this.#record(id);
    const next: PhaseRecord = { ...kept, status: movePhase(id, this.#record(id).status, to), ...extra };
    if (to === "running" && next.started_at_ms === undefined) next.started_at_ms = this.#nowMs;
    if (isPhaseOver(to)) next.finished_at_ms = this.#nowMs;
    this.#phases.set(id, next);
    if (isPhaseOver(to) && next.started_at_ms !== undefined && this.#state.graph.phase(id).lock !== null) {
      const revision = to === "succeeded" ? next.revision : next.revision + 1;
      this.#effects.push({ kind: "release_lock", phase: id, revision });
    }
  }

  #phaseData(before: PhaseRecord, revision: number): { revision: number; duration_ms: number } {
    return { revision, duration_ms: this.#nowMs - (before.started_at_ms ?? this.#nowMs) };
  }

  #emit(event: DraftEvent): void {
    this.#events.push(event);
  }

  #record(id: string): PhaseRecord {
    return this.#phases.get(id) ?? phaseRecord(this.#state, id);
  }

  #runNow(): RunRecord {
    return { ...this.#state.run, ...this.#run };
  }

  #runId(): string {
    return this.#state.run.run_id;
  }

  #cascades(): boolean {
    return this.#state.run.cascades;
  }
}

/** A phase that was cancelled by hand counts as failed. */
function isFailure(id: string, { status, cause }: PhaseRecord): boolean {
  return status === "failed" || status === "blocked" || (status === "cancelled" && wasRecalled(id, cause));
}

/** Whether a phase was cancelled together with others, because the run was stopped. */
function isLeftOut(id: string, { status, cause }: PhaseRecord): boolean {
  return status === "cancelled" && !wasRecalled(id, cause);
}

/** Whether a phase was cancelled by hand. */
function wasRecalled(id: string, cause: Cause | undefined): boolean {
  return cause?.code === "cancel_requested" && cause.phase === id;
}

function causeData(cause: Cause): { cause: string; cause_phase: string | null } {
  return { cause: cause.code, cause_phase: cause.phase ?? null };
}
