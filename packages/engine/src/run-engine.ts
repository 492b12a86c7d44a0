import { isRunOver, type Trigger } from "@fanfold/core";
import {
  type CompiledPlan,
  type PhaseLedger,
  type PhaseRecord,
  type PlanSource,
  type RunRecord,
  RunIdSchema,
} from "@fanfold/schemas";
import {
  type ClaimedShard,
  type FlowPhase,
  jobIds,
  type LeavingShard,
  type PhaseRef,
  type ShardRef,
  type Store,
  StoreError,
} from "@fanfold/store";
import { v7 as uuid7 } from "uuid";
import { ackClaims } from "./ack-claims.ts";
import { answerApproval, type ApprovalOrder, type GivenApproval, timeOutApproval } from "./answer-approval.ts";
import { askForSpawner } from "./await-children.ts";
import { cancelPart, type RunPart } from "./cancel-part.ts";
import { carryOut } from "./carry-out.ts";
import { type Clock, systemClock } from "./clock.ts";
import { ConcurrencyKeys } from "./concurrency-keys.ts";
import { endAttempt } from "./end-attempt.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { groupByPhase } from "./group-by-phase.ts";
import { newRun } from "./new-run.ts";
import { resumeRelease } from "./open-phase.ts";
import type { AttemptEnd, AttemptEndReply } from "./attempt-end.ts";
import { PhaseEnds } from "./phase-ends.ts";
import { PhaseLocks } from "./phase-locks.ts";
import { isFolded, outputsOf } from "./phase-outputs.ts";
import { cancelToRemove, type RemovedRun, removeRun } from "./remove-run.ts";
import { reportPhase } from "./report-phase.ts";
import { retryFailed, type RetryScope } from "./retry-failed.ts";
import { previewRerun, type RerunOrder, type RerunPreview, rerunRun } from "./rerun-run.ts";
import { awaitRequeued, retryChildren, waitAgain } from "./retry-spawned.ts";
import { RunRepair } from "./run-repair.ts";
import { type RunPlan, RunStates } from "./run-states.ts";
import { type FoldedPhase, settleFolded } from "./settle-folded.ts";
import { carrySpawner } from "./spawn-phases.ts";
import { sweepRun } from "./sweep-run.ts";

/**
 * Moves runs forward: decides (core), commits (store), and carries out what the decision asks for. Used by
 * every kind of process; any number of them may work on one run. Everything here may be done twice, and may
 * die half-way: what was committed and not carried out is in the run's outbox, and {@link RunEngine.sweep}
 * does it again.
 */
export class RunEngine {
  readonly store: Store;
  readonly keys: ConcurrencyKeys;
  readonly #workings: EngineWorkings;
  readonly #ends: PhaseEnds;

  constructor(store: Store, clock: Clock = systemClock) {
    const states = new RunStates(store.runs, clock);
    const locks = new PhaseLocks(store, states, clock);
    const repair = new RunRepair(this, clock);
    const decideOn = (runId: string, trigger: Trigger): Promise<void> => this.#decideOn(runId, trigger);
    this.store = store;
    this.#workings = { engine: this, store, states, locks, repair, clock, decideOn };
    this.#ends = new PhaseEnds(this.#workings);
    this.keys = new ConcurrencyKeys(store, states, (runId, claimant) => this.claim(runId, claimant));
  }

  /**
   * Stores a run and queues its start. Submitting the same run id again changes nothing.
   *
   * @param runId idempotency key; `run_<uuid7>` when absent
   * @param source what the plan was compiled from; without it the run cannot be run again with other variables
   * @param actor who submits it, for the journal
   * @throws {EngineError} INVALID_RUN_ID
   */
  async submit(
    plan: CompiledPlan,
    runId: string = `run_${uuid7()}`,
    source?: PlanSource,
    actor?: string,
  ): Promise<{ runId: string; isNew: boolean }> {
    if (!RunIdSchema.safeParse(runId).success) {
      const rule = "use up to 128 letters, digits, '_', '-' and '.', starting with a letter or a digit";
      throw new EngineError("INVALID_RUN_ID", `${JSON.stringify(runId)} is not an id for a run; ${rule}`);
    }
    const run = newRun(runId, plan, this.#workings.clock.nowMs());
    const submitted = actor === undefined ? run : { ...run, submitted_by: actor };
    const isNew = await this.store.runs.create(submitted, plan, source);
    if (isNew) this.forget(runId);
    await this.store.queues.addSchedulerJob(jobIds.start(runId), { kind: "start", run_id: runId });
    return { runId, isNew };
  }

  /** The plan of a run and its DAG. @throws {StoreError} RUN_NOT_FOUND */
  plan(runId: string): Promise<RunPlan> {
    return this.#workings.states.plan(runId);
  }

  /** Starts a queued run. */
  async start(runId: string): Promise<void> {
    await this.#decideOn(runId, { type: "start" });
  }

  /**
   * Records the end of an attempt, settles its phase where that is for the worker to do, and puts on their queues what may
   * now run. Ends of a run that wait for that here at the same time are taken in one step.
   *
   * @returns how the attempt's end was taken; what it claims is released, but for what the job goes on with
   */
  endAttempt(end: AttemptEnd): Promise<AttemptEndReply> {
    return endAttempt(this.#workings, this.#ends, end);
  }

  /** Reads what has changed of a run since this process decided on it last, so that its next decision is quick. */
  catchUp(runId: string): Promise<void> {
    return this.#workings.states.catchUp(runId);
  }

  /** Takes over what a phase gave that was just folded, and starts what waited for it, unless that is a scheduler's work. */
  settleFolded(runId: string, folded: FoldedPhase): Promise<void> {
    return settleFolded(this.#workings, runId, folded);
  }

  /** Takes over the output of a phase whose shards are all in, and starts what waited for it. */
  async settle(runId: string, ref: PhaseRef): Promise<void> {
    const [records, counts] = await this.#standing(runId, ref);
    const isSettled = (records.get(ref.phase)?.revision ?? 0) >= ref.revision;
    if (isSettled || counts?.revision !== ref.revision) return;
    const artifacts = await outputsOf(this.#workings, runId, ref);
    const done = { artifacts, toleratedShards: counts.failed, reusedShards: counts.reused ?? 0 };
    await this.#decideOn(runId, { type: "phase_succeeded", ...ref, ...done });
  }

  /** Whether the queue runs the settle job of a phase too early, because somebody removed what it waited for. */
  async isUnsettled(runId: string, ref: PhaseRef): Promise<boolean> {
    const [records, counts] = await this.#standing(runId, ref);
    const record = records.get(ref.phase);
    if (record === undefined || record.revision >= ref.revision) return false;
    if (counts === undefined || counts.revision !== ref.revision) return false;
    return !(await isFolded(this.#workings, runId, ref, counts));
  }

  #standing(runId: string, { phase }: PhaseRef): Promise<[Map<string, PhaseRecord>, PhaseLedger | undefined]> {
    return Promise.all([this.store.runs.findPhases(runId, [phase]), this.store.ledger.findPhase(runId, phase)]);
  }

  /** Puts back the flow of a phase, which somebody had removed, or whose parents run too early because of it. */
  restoreFlow(runId: string, ref: PhaseRef, reason: string): Promise<void> {
    return this.#workings.repair.restore(runId, ref, reason);
  }

  /** Looks at a phase in which something failed or was stopped, and applies its policy. */
  report(runId: string, ref: PhaseRef): Promise<void> {
    return reportPhase(this.#workings, runId, ref);
  }

  /**
   * Cancels a run: nothing new starts, and what runs is killed. Cancelling twice is harmless.
   *
   * @throws {EngineError} RUN_OVER when the run has ended in another way
   */
  async cancel(runId: string, actor: string): Promise<RunRecord> {
    const run = await this.store.runs.get(runId);
    if (isRunOver(run.status) && run.status !== "cancelled") {
      throw new EngineError("RUN_OVER", `run ${runId} is over: ${run.status}`);
    }
    await this.#decideOn(runId, { type: "cancel", actor });
    return this.store.runs.get(runId);
  }

  /**
   * Cancels a phase or a shard of a run: nothing more of it starts, and what runs of it is killed. Doing it twice is
   * harmless; a retry takes it back.
   *
   * @throws {EngineError} RUN_OVER, UNKNOWN_PHASE, PHASE_OVER
   */
  cancelPart(runId: string, part: RunPart, actor: string): Promise<void> {
    const decideOn = (trigger: Trigger): Promise<void> => this.#decideOn(runId, trigger);
    return cancelPart(this, { runId, ...part }, { actor, decideOn, nowMs: this.#workings.clock.nowMs() });
  }

  /**
   * Approves or rejects a phase that waits for a person. Of two answers the first one counts.
   *
   * @throws {StoreError} RUN_NOT_FOUND
   * @throws {EngineError} UNKNOWN_PHASE, NOT_AN_APPROVAL, NOT_ASKED, COMMENT_TOO_LONG
   */
  approve(runId: string, phase: string, answer: ApprovalOrder): Promise<GivenApproval> {
    return answerApproval(this.#workings, runId, phase, answer);
  }

  /** Fails an approval that nobody has given in time. @param ref.atMs end of the wait, Unix ms */
  approvalTimedOut(runId: string, ref: PhaseRef & { readonly atMs: number }): Promise<void> {
    return timeOutApproval(this.#workings, runId, ref);
  }

  /**
   * Pauses a run: nothing new starts, what runs goes on to its end. Pausing twice is harmless.
   *
   * @throws {EngineError} RUN_OVER
   */
  async pause(runId: string, actor: string): Promise<RunRecord> {
    return this.#whileItLasts(runId, { type: "pause", actor });
  }

  /**
   * Lets a paused run go on, at once. Resuming twice is harmless.
   *
   * @throws {EngineError} RUN_OVER
   */
  async resume(runId: string, actor: string): Promise<RunRecord> {
    return this.#whileItLasts(runId, { type: "resume", actor });
  }

  async #whileItLasts(runId: string, trigger: Trigger): Promise<RunRecord> {
    const { status } = await this.store.runs.get(runId);
    if (isRunOver(status)) throw new EngineError("RUN_OVER", `run ${runId} is over: ${status}`);
    await this.#decideOn(runId, trigger);
    return this.store.runs.get(runId);
  }

  /**
   * Claims what a run may start now, and puts it on its queues. What the claimant's job carries is left to that.
   *
   * @returns how many shards
   */
  async claim(runId: string, claimant: string): Promise<number> {
    const claimed = (await this.store.ledger.claim(runId, claimant)).filter(({ carried }) => !carried);
    await this.release(runId, claimed, claimant);
    return claimed.length;
  }

  /** Claims as {@link RunEngine.claim} does, for a job that was cut off: what it carried gets jobs of its own. */
  async takeOver(runId: string, claimant: string): Promise<void> {
    const claimed = await this.store.ledger.claim(runId, claimant);
    if (claimed.length === 0) return;
    await this.admit(runId, claimed);
    await this.letGo(runId, claimant);
  }

  /** Ends a run that has had its time, unless a retry has given it more since. */
  async timeOut(runId: string, atMs?: number): Promise<void> {
    await this.#decideOn(runId, { type: "timeout", ...(atMs === undefined ? {} : { atMs }) });
  }

  /** Opens a phase that holds the lock it waited for, or lets it go on. */
  async open(runId: string, ref: PhaseRef): Promise<void> {
    await resumeRelease(this.#workings, runId, ref);
  }

  /** Fails a phase that has waited for its lock long enough. */
  async lockTimedOut(runId: string, ref: PhaseRef): Promise<void> {
    return this.#workings.locks.timeOut(runId, ref, (message) =>
      this.#decideOn(runId, {
        type: "phase_failed",
        ...ref,
        cause: { code: "lock_timeout", message },
        failedShards: 0,
      }),
    );
  }

  /** Whether a phase has the lock it runs under; true when it needs none. */
  async holdsLock(runId: string, ref: PhaseRef): Promise<boolean> {
    const { graph } = await this.#workings.states.plan(runId);
    return this.#workings.locks.acquire(runId, ref, graph.phase(ref.phase));
  }

  /** Gives back the locks and slots of what is over: those of runs that were removed, too. */
  async sweepShared(): Promise<void> {
    await this.#workings.locks.sweep();
    await this.keys.sweep();
  }

  /** Lets a phase carry on after a retry by hand, and with it all that had not run because of it. */
  async reopen(runId: string, phase: string, actor: string): Promise<void> {
    await this.#decideOn(runId, { type: "reopen", phase, actor });
    await waitAgain(this.#workings, runId, phase, actor);
  }

  /** Retries children that did not succeed of shards that wait for them. @returns what is tried again */
  retryChildren(
    runId: string,
    spawners: PhaseRef & { readonly shards: readonly number[]; readonly actor: string },
  ): Promise<string[]> {
    return retryChildren(this, runId, spawners);
  }

  /** Has a scheduler look at a shard that spawned phases. */
  askForSpawner(runId: string, ref: ShardRef): Promise<void> {
    return askForSpawner(this.#workings, runId, ref);
  }

  /** Looks at a shard that spawned phases: starts them, or lets it go on, or fails it. For schedulers only. */
  carrySpawner(runId: string, ref: ShardRef): Promise<void> {
    return carrySpawner(this.#workings, runId, ref);
  }

  /**
   * Retries what failed for good, with a full retry budget.
   *
   * @returns what is tried again, in declaration order
   * @throws {EngineError} when there is nothing to retry, or no such phase or shard
   */
  retry(runId: string, scope: RetryScope, actor: string): Promise<string[]> {
    return retryFailed(this, runId, scope, actor);
  }

  /** What a rerun would run, and why; nothing is changed. @throws {StoreError} RUN_NOT_FOUND */
  previewRerun(runId: string, order: RerunOrder): Promise<RerunPreview> {
    return previewRerun(this.#workings, runId, order);
  }

  /**
   * Runs phases of a run again, in the same run; what they gave stays in force until a new revision is accepted.
   *
   * @returns what runs, or may run; no steps when there was nothing to do
   * @throws {StoreError} RUN_NOT_FOUND
   * @throws {EngineError} RERUN_REFUSED naming every problem; PHASE_BUSY
   */
  rerun(runId: string, order: RerunOrder, actor: string): Promise<RerunPreview> {
    return rerunRun(this.#workings, runId, order, actor);
  }

  /**
   * Removes an ended run from Redis: its records, its journal, its jobs. Its content in the artifact store stays.
   *
   * @param force cancels a run that is not over, and waits for its end first
   * @throws {StoreError} RUN_NOT_FOUND
   * @throws {EngineError} RUN_LIVE, RUN_BUSY
   */
  async remove(runId: string, { force, actor }: { force: boolean; actor: string }): Promise<RemovedRun> {
    if (force) await cancelToRemove(this, runId, actor);
    return removeRun(this, runId);
  }

  /** Gives back the locks that phases of a run hold or wait for: none, unless something went wrong. */
  async releaseLocks(runId: string): Promise<void> {
    const phases = await this.store.runs.loadPhases(runId);
    for (const [phase, { revision }] of phases) {
      await this.#workings.locks.release(runId, { phase, revision });
      await this.#workings.locks.release(runId, { phase, revision: revision + 1 });
    }
  }

  /**
   * Makes sure that what is kept in memory of a run is of the run as it is: one that was removed may have had the same
   * id, and its plan may have been changed.
   *
   * @returns the edition of the run; undefined when there is no such run
   */
  recall(runId: string): Promise<string | undefined> {
    return this.#workings.states.recall(runId);
  }

  /** Forgets what is kept in memory of a run. */
  forget(runId: string): void {
    this.#workings.states.forget(runId);
  }

  /** Says that what the claimant's job carried has a job of its own, or only `ref`, and opens the gates this allows. */
  async letGo(runId: string, claimant: string, ref?: ShardRef): Promise<void> {
    await ackClaims(this.#workings, runId, claimant, { carried: ref ?? true });
  }

  /** Puts claimed shards on their queues, tells the ledger, and opens the gates this allows. */
  async release(runId: string, claimed: readonly ClaimedShard[], claimant: string): Promise<void> {
    if (claimed.length === 0) return;
    await this.admit(runId, claimed);
    await ackClaims(this.#workings, runId, claimant, { carried: false });
  }

  /** Puts claimed shards on their queues, and tells nobody yet. */
  async admit(runId: string, claimed: readonly ClaimedShard[]): Promise<void> {
    for (const { ref, shards } of groupByPhase(claimed)) {
      await this.#underFlow(runId, ref, (flow) => this.store.queues.admit(flow, shards));
    }
  }

  /** Where somebody removed the jobs above the shards, these are put back first. */
  async #underFlow(runId: string, ref: PhaseRef, add: (flow: FlowPhase) => Promise<void>): Promise<void> {
    const flow = await this.flowPhase(runId, ref);
    try {
      await add(flow);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "JOB_REFUSED") throw error;
      await this.#workings.repair.ensureFlow(runId, ref);
      await add(flow);
    }
  }

  /** Gives shards of a block, which it does not run to a good end, jobs of their own. Doing it twice is harmless. */
  async leaveBlock(runId: string, ref: PhaseRef, leaving: readonly LeavingShard[]): Promise<void> {
    if (leaving.length === 0) return;
    const { queues } = this.store;
    await this.#underFlow(runId, ref, (flow) => queues.admitFromBlock(flow, leaving, this.#workings.clock.nowMs()));
  }

  /** Makes failed or cancelled shards of a phase wait for a slot again, and releases what may run. */
  async requeue(runId: string, ref: PhaseRef, shards: readonly number[]): Promise<void> {
    const { graph } = await this.#workings.states.plan(runId);
    const claimant = `requeue.${ref.phase}.r${ref.revision}`;
    const options = { order: graph.index(ref.phase), claimant };
    await this.release(runId, await this.store.ledger.requeueShards(runId, ref, shards, options), claimant);
    await awaitRequeued(this.#workings, runId, ref, shards);
  }

  /** A phase as the queues want it. @throws {StoreError} RUN_NOT_FOUND when it was never opened */
  async flowPhase(runId: string, ref: PhaseRef): Promise<FlowPhase> {
    const { states } = this.#workings;
    // a claim may hand out what was spawned since somebody here last looked at the plan
    if (!(await states.plan(runId)).graph.has(ref.phase)) await states.recall(runId);
    const { graph } = await states.plan(runId);
    const { ledger } = this.store;
    const [counts, inFlight] = await Promise.all([ledger.findPhase(runId, ref.phase), ledger.countInFlight(runId)]);
    if (counts === undefined) throw new StoreError("RUN_NOT_FOUND", `run ${runId} has not opened phase ${ref.phase}`);
    return { ...ref, runId, definition: graph.phase(ref.phase), shardCount: counts.total, inFlight };
  }

  /** Re-derives what should be on the queues for a live run and repairs the difference. */
  sweep(runId: string): Promise<void> {
    return sweepRun(this.#workings, runId);
  }

  async #decideOn(runId: string, trigger: Trigger): Promise<void> {
    const effects = await this.#workings.states.apply(runId, trigger);
    if (effects !== "stale") await carryOut(this.#workings, runId, effects);
  }
}
