import type { CompiledPhase } from "@fanfold/schemas";
import { isSameHolder, jobIds, type LockHolder, type PhaseRef, type Store } from "@fanfold/store";
import type { Clock } from "./clock.ts";
import type { RunStates } from "./run-states.ts";

/** The locks that phases hold while they run: taken before the first shard, given back when the phase is over. */
export class PhaseLocks {
  readonly #store: Store;
  readonly #states: RunStates;
  readonly #clock: Clock;

  constructor(store: Store, states: RunStates, clock: Clock) {
    this.#store = store;
    this.#states = states;
    this.#clock = clock;
  }

  /** Takes the lock of a phase, or queues for it. @returns whether the phase may go on now */
  async acquire(runId: string, ref: PhaseRef, { lock }: CompiledPhase): Promise<boolean> {
    if (lock === null) return true;
    const asker = { runId, phase: ref.phase, revision: ref.revision };
    if (isSameHolder(await this.#store.locks.acquire(lock.name, asker, this.#clock.nowMs()), asker)) return true;
    if (lock.timeout_sec !== null) {
      const id = jobIds.lockTimeout(runId, ref.phase, ref.revision);
      const job = { kind: "lock_timeout", run_id: runId, phase: ref.phase, revision: ref.revision } as const;
      await this.#store.queues.addSchedulerJob(id, job, Math.round(lock.timeout_sec * 1000));
    }
    return false;
  }

  /** Gives back the lock of a phase that is over; the phase that waited longest goes on. */
  async release(runId: string, ref: PhaseRef): Promise<void> {
    const { graph } = await this.#states.plan(runId);
    const { lock } = graph.phase(ref.phase);
    if (lock !== null) await this.#releaseLock(lock.name, { runId, phase: ref.phase, revision: ref.revision });
  }

  /** Fails a phase that still waits. */
  async timeOut(runId: string, ref: PhaseRef, fail: (message: string) => Promise<void>): Promise<void> {
    const { graph } = await this.#states.plan(runId);
    const { lock } = graph.phase(ref.phase);
    if (lock === null) return;
    const holder = await this.#store.locks.findHolder(lock.name);
    const asker = { runId, phase: ref.phase, revision: ref.revision };
    if (holder === undefined || isSameHolder(holder, asker)) return;
    const who = `phase ${holder.phase} of ${holder.runId}`;
    await fail(`waited ${lock.timeout_sec} s for lock ${lock.name}, which ${who} holds`);
  }

  /** Gives back what phases hold that are over, or whose run is gone. */
  async sweep(): Promise<void> {
    for (const name of await this.#store.locks.listHeld()) {
      const holder = await this.#store.locks.findHolder(name);
      if (holder === undefined) continue;
      const record = (await this.#store.runs.loadPhases(holder.runId)).get(holder.phase);
      if (record?.status !== "running") await this.#releaseLock(name, holder);
      else await this.#wake(holder);
    }
  }

  async #releaseLock(name: string, holder: LockHolder): Promise<void> {
    const next = await this.#store.locks.release(name, holder, this.#clock.nowMs());
    if (next !== undefined) await this.#wake(next);
  }

  /** Lets a new holder go on; one that is going on already is not disturbed. */
  async #wake({ runId, phase, revision }: LockHolder): Promise<void> {
    const id = jobIds.open(runId, phase, revision, this.#clock.nowMs());
    await this.#store.queues.addSchedulerJob(id, { kind: "open", run_id: runId, phase, revision });
  }
}
