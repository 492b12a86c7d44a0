import type { PhaseLedger } from "@fanfold/schemas";
import { phaseProgress } from "../../src/run/phase-progress.ts";

/** `dying`: running, and told to end. */
export type Shard = "unreleased" | "waiting" | "queued" | "running" | "dying" | "succeeded" | "failed" | "cancelled";

/** How much of a phase may run at once, and how much of it may fail. */
export interface EntryRules {
  readonly shardCount: number;
  /** Shards on the queue at once; 0: any number. */
  readonly maxParallel: number;
  readonly tolerated: number;
  /** Failures in a row after which nothing more is released; 0: any number. */
  readonly maxConsecutive: number;
}

/** What the ledger knows of a phase: its shards, and what came of their outputs. */
export class SimulatedEntry {
  readonly revision: number;
  readonly shards: Shard[];
  fold: "due" | "accepted" | "rejected" | "none" = "none";
  readonly #rules: EntryRules;
  #consecutive = 0;
  #tripped: 0 | 1 = 0;

  constructor(revision: number, rules: EntryRules) {
    this.revision = revision;
    this.#rules = rules;
    this.shards = Array.from({ length: rules.shardCount }, (): Shard => "unreleased");
    if (rules.shardCount === 0) this.fold = "due";
  }

  /** Puts on the queue what may run: first what waits, then what was not released. */
  claim(): void {
    this.#release("waiting");
    if (this.#tripped === 0) this.#release("unreleased");
  }

  /** A shard goes on, or ends. */
  move(shard: number, to: Shard): void {
    this.shards[shard] = to;
    if (to === "succeeded") this.#consecutive = 0;
    if (to !== "failed") return;
    this.#consecutive += 1;
    if (this.#consecutive === this.#rules.maxConsecutive) this.#tripped = 1;
  }

  /** Lets these shards wait for a slot. */
  requeue(which: (shard: Shard) => boolean): void {
    for (const [at, shard] of this.shards.entries()) {
      if (which(shard)) this.shards[at] = "waiting";
    }
    this.#consecutive = 0;
    this.#tripped = 0;
  }

  /** A stop cancels what has not begun, and kills what runs if it is one that kills. */
  stop(kills: boolean): void {
    for (const [at, shard] of this.shards.entries()) {
      if (shard === "queued" || shard === "waiting") this.shards[at] = "cancelled";
      if (shard === "running" && kills) this.shards[at] = "dying";
    }
  }

  count(...wanted: Shard[]): number {
    return this.shards.filter((shard) => wanted.includes(shard)).length;
  }

  progress(isStopped: boolean): ReturnType<typeof phaseProgress> {
    const counts: PhaseLedger = {
      revision: this.revision,
      total: this.shards.length,
      next: this.shards.length - this.count("unreleased"),
      in_flight: this.count("queued", "running", "dying"),
      held: this.count("waiting"),
      succeeded: this.count("succeeded"),
      failed: this.count("failed"),
      cancelled: this.count("cancelled"),
      unacked: 0,
      max_parallel: 0,
      window: 100,
      excused: 0,
      tolerated: this.#rules.tolerated,
      max_consecutive: this.#rules.maxConsecutive,
      consecutive: this.#consecutive,
      tripped: this.#tripped,
    };
    return phaseProgress(counts, isStopped);
  }

  #release(from: "waiting" | "unreleased"): void {
    for (const [at, shard] of this.shards.entries()) {
      const isFull = this.#rules.maxParallel > 0 && this.count("queued", "running", "dying") >= this.#rules.maxParallel;
      if (shard === from && !isFull) this.shards[at] = "queued";
    }
  }
}
