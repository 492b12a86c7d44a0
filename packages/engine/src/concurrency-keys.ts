import type { Store } from "@fanfold/store";
import { v7 as uuid7 } from "uuid";
import type { RunStates } from "./run-states.ts";

/** Claims what a run may start now. @returns how many shards that were */
export type ClaimFor = (runId: string, claimant: string) => Promise<number>;

/** Lets runs that wait for a concurrency key go on as soon as a slot of it is free, first come first served. */
export class ConcurrencyKeys {
  readonly #store: Store;
  readonly #states: RunStates;
  readonly #claimFor: ClaimFor;

  constructor(store: Store, states: RunStates, claimFor: ClaimFor) {
    this.#store = store;
    this.#states = states;
    this.#claimFor = claimFor;
  }

  /** Wakes who waits for the key of a phase, after a slot of it may have become free. */
  async wakeForPhase(runId: string, phase: string, claimant: string): Promise<void> {
    const { graph } = await this.#states.plan(runId);
    const key = graph.phase(phase).concurrency_key;
    if (key !== null) await this.wake(key.name, claimant);
  }

  /** Wakes who waits for any key of a run. */
  async wakeForRun(runId: string, claimant: string): Promise<void> {
    const { plan } = await this.#states.plan(runId);
    const names = new Set(plan.phases.flatMap(({ concurrency_key: key }) => (key === null ? [] : [key.name])));
    for (const name of names) await this.wake(name, claimant);
  }

  /** Claims for the runs in line, one after another, until no slot is free or nobody waits. */
  async wake(name: string, claimant: string): Promise<void> {
    const passedOver = new Set<string>();
    for (;;) {
      const key = await this.#store.semaphores.find(name);
      const [first] = key?.waiters ?? [];
      if (key === undefined || first === undefined || key.inUse >= key.limit) return;
      // it had its turn and did not leave the line: it is gone
      if (passedOver.has(first)) await this.#store.semaphores.forgetWaiter(name, first);
      else if ((await this.#claimFor(first, `wake.${name}.${claimant}`)) === 0) passedOver.add(first);
    }
  }

  /** Sets the limit of a key for the deployment, at once; undefined goes back to what plans say. */
  async limit(name: string, limit: number | undefined): Promise<void> {
    await this.#store.semaphores.setLimit(name, limit);
    await this.wake(name, `limit.${uuid7()}`);
  }

  /** Gives back the slots of shards that are not in flight, or whose run is gone, and wakes who waits. */
  async sweep(): Promise<void> {
    for (const holder of await this.#store.semaphores.listHolders()) await this.#store.semaphores.dropHolder(holder);
    for (const { name } of await this.#store.semaphores.list()) await this.wake(name, "sweep");
  }
}
