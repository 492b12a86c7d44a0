import { emptyRunView, isRunOver, reduceRun, type RunView, withPhases } from "@fanfold/core";
import type { RunEngine } from "@fanfold/engine";
import type { CompiledPlan, JournalLine } from "@fanfold/schemas";
import { runEdition } from "@fanfold/store";
import { BoundedMap } from "./bounded-map.ts";
import { ShardTable } from "./shard-table.ts";

/** Runs whose views are kept: those looked at last. A view takes O(phases + started shards) of memory. */
const KEPT_RUNS = 256;

/** A run as its journal tells it now. Read it at once: the next line changes it. */
export interface SeenRun {
  readonly view: RunView;
  readonly plan: CompiledPlan;
  /** Undefined for a phase that has not started. */
  shardsOf(phase: string): ShardTable | undefined;
}

/** Keeps the views of runs, so that each line of a journal is read once however often somebody looks. */
export class RunViews {
  readonly #engine: RunEngine;
  readonly #kept = new BoundedMap<string, KeptRun>(KEPT_RUNS);

  constructor(engine: RunEngine) {
    this.#engine = engine;
  }

  /** Whether seeing a live run costs only what is new, or puts out no other live run. */
  hasRoomFor(runId: string): boolean {
    if (this.#kept.get(runId) !== undefined) return true;
    let live = 0;
    for (const run of this.#kept.values()) if (!run.isOver) live += 1;
    return live < KEPT_RUNS;
  }

  /** The run as it is now. @throws {StoreError} RUN_NOT_FOUND */
  async see(runId: string): Promise<SeenRun> {
    const edition = runEdition(await this.#engine.store.runs.get(runId));
    const kept = this.#kept.get(runId);
    // a run that was removed and submitted again under its id has another journal, a rerun may have another plan
    const run = kept?.edition === edition ? kept : new KeptRun(this.#engine, runId, edition);
    this.#kept.set(runId, run);
    try {
      return await run.catchUp();
    } catch (error) {
      this.#kept.delete(runId);
      throw error;
    }
  }
}

class KeptRun {
  readonly edition: string;
  readonly #engine: RunEngine;
  readonly #runId: string;
  readonly #tables = new Map<string, ShardTable>();
  #plan: CompiledPlan | undefined;
  #view: RunView;
  #reading: Promise<SeenRun> | undefined;

  constructor(engine: RunEngine, runId: string, edition: string) {
    this.#engine = engine;
    this.#runId = runId;
    this.edition = edition;
    this.#view = emptyRunView(runId);
  }

  get isOver(): boolean {
    return isRunOver(this.#view.status);
  }

  /** Reads what is new. Callers during a read wait for it and then for one more, which they share. */
  async catchUp(): Promise<SeenRun> {
    if (this.#reading !== undefined) await this.#reading;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<SeenRun> {
    const plan = await this.#loadPlan();
    for await (const line of this.#engine.store.journal.readAll(this.#runId, this.#view.last_seq)) this.#take(line);
    return { view: this.#view, plan, shardsOf: (phase) => this.#tables.get(phase) };
  }

  async #loadPlan(): Promise<CompiledPlan> {
    if (this.#plan !== undefined) return this.#plan;
    await this.#engine.recall(this.#runId);
    const { plan } = await this.#engine.plan(this.#runId);
    this.#view = withPhases(this.#view, plan.phases);
    this.#plan = plan;
    return plan;
  }

  #take(line: JournalLine): void {
    this.#view = reduceRun(this.#view, line);
    if (line.phase === null) return;
    const table = this.#tables.get(line.phase) ?? new ShardTable();
    this.#tables.set(line.phase, table);
    table.take(line);
  }
}
