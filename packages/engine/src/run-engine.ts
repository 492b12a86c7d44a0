import {
  isPhaseOver,
  isRunOver,
  JsonlError,
  phaseProgress,
  phaseRecord,
  ShardError,
  type Trigger,
} from "@fanfold/core";
import {
  type Artifact,
  type CompiledPhase,
  type CompiledPlan,
  type Content,
  type Effect,
  type PhaseLedger,
  type RunRecord,
  RunIdSchema,
} from "@fanfold/schemas";
import {
  type ClaimedShard,
  type FlowPhase,
  isDirect,
  jobIds,
  type PhaseFacts,
  type PhaseRef,
  phaseRevisionId,
  type ShardRef,
  type Store,
  StoreError,
} from "@fanfold/store";
import { v7 as uuid7 } from "uuid";
import { type Clock, systemClock } from "./clock.ts";
import { artifactOf, contentOf } from "./content.ts";
import { cancelPart, type RunPart } from "./cancel-part.ts";
import { ConcurrencyKeys } from "./concurrency-keys.ts";
import { EngineError } from "./engine-error.ts";
import { groupByPhase } from "./group-by-phase.ts";
import { newRun } from "./new-run.ts";
import { type Expansion, expandPhase } from "./expand-phase.ts";
import { type RunPlan, RunStates } from "./run-states.ts";
import { PhaseLocks } from "./phase-locks.ts";
import { cancelToRemove, type RemovedRun, removeRun } from "./remove-run.ts";
import { listFailed, retryFailed, type RetryScope } from "./retry-failed.ts";
import { RunRepair } from "./run-repair.ts";

/** Wait before a phase that is just being resumed is looked at again, in ms. */
const REPORT_AGAIN_MS = 500;

/**
 * Moves runs forward: decides (core), commits (store), and carries out what the decision asks for. Used by
 * every kind of process; any number of them may work on one run. Everything here may be done twice, and may
 * die half-way: what was committed and not carried out is in the run's outbox, and {@link RunEngine.sweep}
 * does it again.
 */
export class RunEngine {
  readonly store: Store;
  readonly keys: ConcurrencyKeys;
  readonly #states: RunStates;
  readonly #locks: PhaseLocks;
  readonly #clock: Clock;
  readonly #repair: RunRepair;

  constructor(store: Store, clock: Clock = systemClock) {
    this.store = store;
    this.#clock = clock;
    this.#states = new RunStates(store.runs, clock);
    this.#locks = new PhaseLocks(store, this.#states, clock);
    this.#repair = new RunRepair(this, clock);
    this.keys = new ConcurrencyKeys(store, this.#states, (runId, claimant) => this.claim(runId, claimant));
  }

  /**
   * Stores a run and queues its start. Submitting the same run id again changes nothing.
   *
   * @param runId idempotency key; `run_<uuid7>` when absent
   * @throws {EngineError} INVALID_RUN_ID
   */
  async submit(plan: CompiledPlan, runId: string = `run_${uuid7()}`): Promise<{ runId: string; isNew: boolean }> {
    if (!RunIdSchema.safeParse(runId).success) {
      const rule = "use up to 128 letters, digits, '_', '-' and '.', starting with a letter or a digit";
      throw new EngineError("INVALID_RUN_ID", `${JSON.stringify(runId)} is not an id for a run; ${rule}`);
    }
    const isNew = await this.store.runs.create(newRun(runId, plan, this.#clock.nowMs()), plan);
    if (isNew) this.forget(runId);
    await this.store.queues.addSchedulerJob(jobIds.start(runId), { kind: "start", run_id: runId });
    return { runId, isNew };
  }

  /** The plan of a run and its DAG. @throws {StoreError} RUN_NOT_FOUND */
  plan(runId: string): Promise<RunPlan> {
    return this.#states.plan(runId);
  }

  /** Starts a queued run. */
  async start(runId: string): Promise<void> {
    await this.#apply(runId, { type: "start" });
  }

  /** Takes over the output of a phase whose shards are all in, and starts what waited for it. */
  async settle(runId: string, ref: PhaseRef): Promise<void> {
    const artifacts = await this.#outputsOf(runId, ref);
    const toleratedShards = (await this.store.ledger.findPhase(runId, ref.phase))?.failed ?? 0;
    await this.#apply(runId, { type: "phase_succeeded", ...ref, artifacts, toleratedShards });
  }

  /** Whether the queue runs the settle job of a phase too early, because somebody removed what it waited for. */
  async isUnsettled(runId: string, ref: PhaseRef): Promise<boolean> {
    const record = (await this.store.runs.loadPhases(runId)).get(ref.phase);
    if (record === undefined || record.revision >= ref.revision) return false;
    const counts = await this.store.ledger.findPhase(runId, ref.phase);
    if (counts === undefined || counts.revision !== ref.revision) return false;
    return !(await this.#isFolded(runId, ref, counts));
  }

  /** Puts back the flow of a phase, which somebody had removed, or whose parents run too early because of it. */
  restoreFlow(runId: string, ref: PhaseRef, reason: string): Promise<void> {
    return this.#repair.restore(runId, ref, reason);
  }

  /** Looks at a phase in which something failed or was stopped, and applies its policy. */
  async report(runId: string, { phase, revision }: PhaseRef): Promise<void> {
    const ref = { phase, revision };
    for (;;) {
      const facts = await this.store.ledger.findPhaseFacts(runId, ref);
      if (facts === undefined || facts.counts.revision !== revision) return;
      if (facts.isResuming) return this.#reportLater(runId, ref, facts.version);
      const trigger = await this.#judge(runId, ref, facts);
      if (trigger === undefined) return;
      const effects = await this.#states.apply(runId, trigger, facts.version);
      if (effects !== "stale") return this.#carryOut(runId, effects);
    }
  }

  /** While a phase is being resumed its counts are about to change, and say nothing. */
  async #reportLater(runId: string, ref: PhaseRef, version: number): Promise<void> {
    const id = jobIds.report(runId, `${phaseRevisionId(ref.phase, ref.revision)}.v`, version);
    await this.store.queues.addSchedulerJob(id, { kind: "report", run_id: runId, ...ref }, REPORT_AGAIN_MS);
  }

  /** What the counts of a phase mean for its run, as they stood at one moment. */
  async #judge(runId: string, ref: PhaseRef, facts: PhaseFacts): Promise<Trigger | undefined> {
    const { counts, isStopped } = facts;
    const fold = await this.store.ledger.findFold(runId, ref);
    if (fold !== undefined && "failure" in fold) {
      // killed by a stop, it says nothing of the outputs
      if (fold.failure.error_code === "CANCELLED") return { type: "phase_drained", ...ref };
      const cause = { code: "merge_rejected", message: fold.failure.why } as const;
      return { type: "phase_failed", ...ref, cause, failedShards: 0 };
    }
    const progress = phaseProgress(counts, isStopped);
    // where all is done, the decision on the phase's success sees the cost as well
    if (progress !== "complete") await this.#checkBudget(runId);
    if (progress === "tolerable") await this.#tolerateFailed(runId, ref, counts);
    if (progress === "complete" || progress === "tolerable") return undefined;
    const isTolerated = isStopped && counts.tripped === 0 && counts.failed <= counts.tolerated;
    if (counts.failed === 0 || counts.recalled === 1 || isTolerated) {
      return progress === "drained" ? { type: "phase_drained", ...ref, isRecalled: facts.isRecalled } : undefined;
    }
    const message = await this.#describeFailure(runId, ref, counts);
    if (progress === "busy") {
      const isNew = counts.failed > Math.max(counts.tolerated, counts.excused);
      return isNew ? { type: "shard_failed", ...ref, why: message } : undefined;
    }
    const cause = { code: counts.tripped === 1 ? "circuit_open" : "shards_failed", message } as const;
    return { type: "phase_failed", ...ref, cause, failedShards: counts.failed };
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
    await this.#apply(runId, { type: "cancel", actor });
    return this.store.runs.get(runId);
  }

  /**
   * Cancels a phase or a shard of a run: nothing more of it starts, and what runs of it is killed. Doing it twice is
   * harmless; a retry takes it back.
   *
   * @throws {EngineError} RUN_OVER, UNKNOWN_PHASE, PHASE_OVER
   */
  cancelPart(runId: string, part: RunPart): Promise<void> {
    const decideOn = (trigger: Trigger): Promise<void> => this.#apply(runId, trigger);
    return cancelPart(this, { runId, ...part }, { decideOn, nowMs: this.#clock.nowMs() });
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
    await this.#apply(runId, trigger);
    return this.store.runs.get(runId);
  }

  /** Claims what a run may start now, and puts it on its queues. @returns how many shards */
  async claim(runId: string, claimant: string): Promise<number> {
    const claimed = await this.store.ledger.claim(runId, claimant);
    await this.release(runId, claimed, claimant);
    return claimed.length;
  }

  /** Ends a run that has had its time, unless a retry has given it more since. */
  async timeOut(runId: string, atMs?: number): Promise<void> {
    await this.#apply(runId, { type: "timeout", ...(atMs === undefined ? {} : { atMs }) });
  }

  /** Opens a phase that holds the lock it waited for, or lets it go on. */
  async open(runId: string, ref: PhaseRef): Promise<void> {
    await this.#resumeRelease(runId, ref);
  }

  /** Fails a phase that has waited for its lock long enough. */
  async lockTimedOut(runId: string, ref: PhaseRef): Promise<void> {
    return this.#locks.timeOut(runId, ref, (message) =>
      this.#apply(runId, {
        type: "phase_failed",
        ...ref,
        cause: { code: "lock_timeout", message },
        failedShards: 0,
      }),
    );
  }

  /** Whether a phase has the lock it runs under; true when it needs none. */
  async holdsLock(runId: string, ref: PhaseRef): Promise<boolean> {
    const { graph } = await this.#states.plan(runId);
    return this.#locks.acquire(runId, ref, graph.phase(ref.phase));
  }

  /** Gives back the locks and slots of what is over: those of runs that were removed, too. */
  async sweepShared(): Promise<void> {
    await this.#locks.sweep();
    await this.keys.sweep();
  }

  /** Lets a phase carry on after a retry by hand, and with it all that had not run because of it. */
  async reopen(runId: string, phase: string, actor: string): Promise<void> {
    await this.#apply(runId, { type: "reopen", phase, actor });
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
      await this.#locks.release(runId, { phase, revision });
      await this.#locks.release(runId, { phase, revision: revision + 1 });
    }
  }

  /**
   * Makes sure that what is kept in memory of a run is of this run: one that was removed may have had the same id.
   *
   * @returns when the run was created, Unix ms; undefined when there is no such run
   */
  recall(runId: string): Promise<number | undefined> {
    return this.#states.recall(runId);
  }

  /** Forgets what is kept in memory of a run. */
  forget(runId: string): void {
    this.#states.forget(runId);
  }

  /** Puts claimed shards on their queues, tells the ledger, and opens the gates this allows. */
  async release(runId: string, claimed: readonly ClaimedShard[], claimant: string): Promise<void> {
    if (claimed.length === 0) return;
    for (const { ref, shards } of groupByPhase(claimed)) {
      await this.#admit(runId, ref, shards);
    }
    await this.#ack(runId, claimant);
  }

  /** Where somebody removed the jobs above the shards, these are put back first. */
  async #admit(runId: string, ref: PhaseRef, shards: readonly ClaimedShard[]): Promise<void> {
    const flow = await this.flowPhase(runId, ref);
    try {
      await this.store.queues.admit(flow, shards);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "JOB_REFUSED") throw error;
      await this.#repair.ensureFlow(runId, ref);
      await this.store.queues.admit(flow, shards);
    }
  }

  /** Makes failed or cancelled shards of a phase wait for a slot again, and releases what may run. */
  async requeue(runId: string, ref: PhaseRef, shards: readonly number[]): Promise<void> {
    const { graph } = await this.#states.plan(runId);
    const claimant = `requeue.${ref.phase}.r${ref.revision}`;
    const options = { order: graph.index(ref.phase), claimant };
    await this.release(runId, await this.store.ledger.requeueShards(runId, ref, shards, options), claimant);
  }

  /** A phase as the queues want it. @throws {StoreError} RUN_NOT_FOUND when it was never opened */
  async flowPhase(runId: string, ref: PhaseRef): Promise<FlowPhase> {
    const { graph } = await this.#states.plan(runId);
    const { ledger } = this.store;
    const [counts, inFlight] = await Promise.all([ledger.findPhase(runId, ref.phase), ledger.countInFlight(runId)]);
    if (counts === undefined) throw new StoreError("RUN_NOT_FOUND", `run ${runId} has not opened phase ${ref.phase}`);
    return { ...ref, runId, definition: graph.phase(ref.phase), shardCount: counts.total, inFlight };
  }

  /** Re-derives what should be on the queues for a live run and repairs the difference. */
  async sweep(runId: string): Promise<void> {
    const { store } = this;
    const state = await this.#states.load(runId);
    if (state.run.status === "queued") return this.start(runId);
    await this.#carryOut(runId, await store.runs.listOutbox(runId));
    const running = [...state.phases].filter(([, { status }]) => status === "running").map(([phase]) => phase);
    const counts = await store.ledger.loadPhases(runId);
    for (const phase of running) await this.#sweepFlow(runId, phase, counts.get(phase));
    for (const claimant of await store.ledger.listClaimants(runId)) await this.claim(runId, claimant);
    // slots that nobody else asks for are claimed in the sweep's own name
    await this.claim(runId, `sweep.${this.#clock.nowMs()}`);
    const held = new Set((await this.#repair.repairShards(runId)).map(({ phase }) => phase));
    for (const phase of running) await this.#sweepPhase(runId, phase, held.has(phase));
  }

  async #sweepFlow(runId: string, phase: string, counts: PhaseLedger | undefined): Promise<void> {
    if (counts === undefined) return;
    const ref = { phase, revision: counts.revision };
    if (!(await this.#isFolded(runId, ref, counts))) await this.#repair.repairFlow(runId, ref);
  }

  async #sweepPhase(runId: string, phase: string, isHeld: boolean): Promise<void> {
    const counts = await this.store.ledger.findPhase(runId, phase);
    if (counts === undefined) return;
    const ref = { phase, revision: counts.revision };
    if (!isHeld) await this.#repair.openGate(runId, ref);
    if (await this.#isFolded(runId, ref, counts)) await this.settle(runId, ref);
    else await this.report(runId, ref);
  }

  /** Whether all that a phase had to do is done, and only its settling is left. */
  async #isFolded(runId: string, ref: PhaseRef, counts: PhaseLedger): Promise<boolean> {
    const { graph } = await this.#states.plan(runId);
    if (isDirect(graph.phase(ref.phase))) return phaseProgress(counts, false) === "complete";
    const fold = await this.store.ledger.findFold(runId, ref);
    return fold !== undefined && "artifacts" in fold;
  }

  async #apply(runId: string, trigger: Trigger): Promise<void> {
    const effects = await this.#states.apply(runId, trigger);
    if (effects !== "stale") await this.#carryOut(runId, effects);
  }

  async #carryOut(runId: string, effects: readonly Effect[]): Promise<void> {
    for (const effect of effects) {
      await this.#carryOutOne(runId, effect);
      await this.store.runs.ackEffect(runId, effect);
    }
  }

  async #carryOutOne(runId: string, effect: Effect): Promise<void> {
    switch (effect.kind) {
      case "open_phase":
        return this.#openPhase(runId, effect);
      case "resume_release":
        await this.store.ledger.forgetRecall(runId, effect);
        return this.#resumeRelease(runId, effect);
      case "release_lock":
        return this.#locks.release(runId, effect);
      case "schedule_timeout": {
        const nowMs = this.#clock.nowMs();
        const atMs = effect.at_ms ?? nowMs + effect.delay_ms;
        const job = { kind: "timeout", run_id: runId, at_ms: atMs } as const;
        return this.store.queues.addSchedulerJob(jobIds.timeout(runId, atMs), job, Math.max(1, atMs - nowMs));
      }
      case "stop_release":
        return this.#stopRelease(runId);
      case "pause_release":
        await this.store.ledger.pauseRelease(runId);
        return this.keys.wakeForRun(runId, `pause.${runId}`);
      case "resume_run":
        await this.claim(runId, "resume");
        return;
      case "finish_run":
        return this.#finishRun(runId);
    }
  }

  async #openPhase(runId: string, { phase, revision }: PhaseRef): Promise<void> {
    const ref = { phase, revision };
    const state = await this.#states.load(runId);
    const record = phaseRecord(state, phase);
    if (record.status !== "running" || record.revision + 1 !== revision) return;
    const definition = state.graph.phase(phase);
    if (!(await this.#locks.acquire(runId, ref, definition))) return;
    const expansion = await this.#expand(runId, ref);
    if (expansion === undefined) return;
    const claimant = `open.${phase}.r${revision}`;
    const opening = {
      ...ref,
      order: state.graph.index(phase),
      shardCount: expansion.shardCount,
      maxParallel: definition.max_parallel,
      tolerated: isDirect(definition) ? 0 : tolerance(definition.max_failed_shards, expansion.shardCount),
      maxConsecutiveFailures: definition.max_consecutive_failures,
      concurrencyKey: definition.concurrency_key,
      inputs: expansion.inputs,
      started: {
        revision,
        strategy: definition.shard?.strategy ?? "none",
        shard_count: expansion.shardCount,
        record_count: expansion.recordCount,
        max_parallel: definition.max_parallel,
        pool: definition.pool,
      },
    };
    const options = { claimant, nowMs: this.#clock.nowMs() };
    const { progress, claimed } = await this.store.ledger.openPhase(runId, opening, options);
    const inFlight = await this.store.ledger.countInFlight(runId);
    await this.store.queues.addFlow({ ...ref, runId, definition, shardCount: expansion.shardCount, inFlight }, claimed);
    await this.#ack(runId, claimant);
    if (progress === "drained") await this.report(runId, ref);
  }

  async #expand(runId: string, ref: PhaseRef): Promise<Expansion | undefined> {
    const { graph } = await this.#states.plan(runId);
    const definition = graph.phase(ref.phase);
    const phases = await this.store.runs.loadPhases(runId);
    const find = (name: string): Content => {
      const records = phases.get(definition.over_phase ?? "")?.artifacts;
      const artifact = records?.find((candidate) => candidate.name === name);
      if (artifact !== undefined) return contentOf(artifact);
      throw new ShardError("MISSING_RECORDS", `phase ${definition.over_phase} has not provided ${name} in this run`);
    };
    try {
      return await expandPhase(definition, this.store.artifacts, find);
    } catch (error) {
      if (!isUserFault(error)) throw error;
      const cause = { code: "expansion_failed", message: error.message } as const;
      await this.#apply(runId, { type: "phase_failed", ...ref, cause, failedShards: 0 });
      return undefined;
    }
  }

  async #resumeRelease(runId: string, { phase, revision }: PhaseRef): Promise<void> {
    const counts = await this.store.ledger.findPhase(runId, phase);
    if (counts === undefined || counts.revision !== revision) return this.#openPhase(runId, { phase, revision });
    const { graph } = await this.#states.plan(runId);
    if (!(await this.#locks.acquire(runId, { phase, revision }, graph.phase(phase)))) return;
    if (counts.recalled === 1) return;
    const ref = { phase, revision };
    await this.#refold(runId, ref);
    const recalled = new Set(await this.store.ledger.listRecalled(runId, ref));
    const cancelled = await this.store.ledger.listCancelled(runId, ref);
    await this.requeue(
      runId,
      ref,
      cancelled.filter((shard) => !recalled.has(shard)),
    );
  }

  /** Runs a merge again that a stop had killed. */
  async #refold(runId: string, ref: PhaseRef): Promise<void> {
    const fold = await this.store.ledger.findFold(runId, ref);
    if (fold === undefined || !("failure" in fold) || fold.failure.error_code !== "CANCELLED") return;
    await this.store.queues.retryAggregate(runId, ref);
    await this.store.ledger.clearFoldFailure(runId, ref);
  }

  async #stopRelease(runId: string): Promise<void> {
    await this.store.signals.publishStop(runId);
    const { drained } = await this.store.ledger.stopRelease(runId, this.#clock.nowMs());
    await this.keys.wakeForRun(runId, `stop.${runId}`);
    for (const ref of drained) await this.report(runId, ref);
    await this.#drainUnopened(runId);
  }

  /** Phases that were to start and have nothing in the ledger yet: there is nothing to wait for. */
  async #drainUnopened(runId: string): Promise<void> {
    const counts = await this.store.ledger.loadPhases(runId);
    for (const [phase, record] of (await this.#states.load(runId)).phases) {
      const revision = record.revision + 1;
      const isOpen = counts.get(phase)?.revision === revision;
      if (record.status === "running" && !isOpen) await this.#apply(runId, { type: "phase_drained", phase, revision });
    }
  }

  /** A cancelled run is not carried on by a retry, so nothing of it needs to stay on the queues. */
  async #finishRun(runId: string): Promise<void> {
    const { run, phases } = await this.#states.load(runId);
    if (run.status !== "cancelled") return;
    for (const [phase, { status, revision }] of phases) {
      if (isPhaseOver(status) && status !== "succeeded") {
        await this.store.queues.removeFlow(runId, { phase, revision: revision + 1 });
      }
    }
  }

  async #ack(runId: string, claimant: string): Promise<void> {
    for (const ref of await this.store.ledger.ackClaims(runId, claimant)) {
      await this.store.queues.removeGate(runId, ref);
    }
  }

  async #outputsOf(runId: string, ref: PhaseRef): Promise<Artifact[]> {
    const { graph } = await this.#states.plan(runId);
    const definition = graph.phase(ref.phase);
    if (!isDirect(definition)) {
      const fold = await this.store.ledger.findFold(runId, ref);
      if (fold !== undefined && "artifacts" in fold) return fold.artifacts;
      throw new StoreError("ARTIFACT_NOT_FOUND", `phase ${ref.phase} of ${runId} has not been folded`);
    }
    const shard = await this.store.ledger.findShard(runId, { ...ref, shard: 0 });
    if (shard?.result === undefined) {
      throw new StoreError("ARTIFACT_NOT_FOUND", `phase ${ref.phase} of ${runId} has no result`);
    }
    const extras = Object.entries(shard.result.artifacts ?? {});
    const main = definition.provides[0] ?? ref.phase;
    return [artifactOf(main, shard.result.output), ...extras.map(([name, content]) => artifactOf(name, content))];
  }

  /** Failed shards that the phase tolerates no longer hold its aggregate. */
  async #tolerateFailed(runId: string, ref: PhaseRef, counts: PhaseLedger): Promise<void> {
    const failed = await listFailed(this, runId, ref, counts.total);
    await this.store.queues.releaseFailed(await this.flowPhase(runId, ref), failed);
    await this.#repair.openGate(runId, ref);
  }

  async #checkBudget(runId: string): Promise<void> {
    const { plan } = await this.#states.plan(runId);
    if (plan.cost_budget_usd === null) return;
    const costUsd = await this.store.runs.findCost(runId);
    if (costUsd > 0 && costUsd >= plan.cost_budget_usd) await this.#apply(runId, { type: "budget_spent", costUsd });
  }

  async #describeFailure(runId: string, ref: PhaseRef, counts: PhaseLedger): Promise<string> {
    const shard: ShardRef = { ...ref, shard: counts.failed_shard ?? 0 };
    const record = await this.store.ledger.findShard(runId, shard);
    const why = record?.failure?.why ?? "unknown";
    if (counts.total === 1) return why;
    return `${counts.failed} of ${counts.total} shards failed, last ${ref.phase}[${shard.shard}]: ${why}`;
  }
}

/** Failed shards a phase of this size tolerates. */
function tolerance({ unit, value }: CompiledPhase["max_failed_shards"], shardCount: number): number {
  return unit === "shards" ? value : Math.floor(value * shardCount);
}

function isUserFault(error: unknown): error is JsonlError | ShardError | StoreError {
  if (error instanceof StoreError) return error.code === "ARTIFACT_NOT_FOUND" || error.code === "ARTIFACT_CORRUPT";
  return error instanceof JsonlError || error instanceof ShardError;
}
