import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import type { RunListItem } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";
import type { DashboardLog } from "../server/dashboard-log.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { RunListItems } from "./run-list-items.ts";

/** How often the runs are looked at while somebody streams them, in ms: so often a change of a run can be sent. */
const LOOK_MS = 500;
/** Latest runs that are looked at beside the live ones. */
const LATEST_RUNS = 200;
/** Changed runs that are kept for streams that lag or come back. */
const KEPT_CHANGES = 1_000;

/** A run as it last changed. */
export interface RunChange {
  /** Counts changes. */
  readonly turn: number;
  readonly runId: string;
  /** Undefined for a run that was removed. */
  readonly item: RunListItem | undefined;
}

/**
 * Changes of all runs for everybody who streams the list. Looks at the runs twice a second, and only while somebody
 * streams; of a run that changed several times since a client last looked it gets the latest state only.
 */
export class RunListFeed {
  /** Names this feed in event ids: positions of another process mean nothing here. */
  readonly epoch = randomUUID().slice(0, 8);
  readonly #store: Store;
  readonly #items: RunListItems;
  readonly #log: DashboardLog;
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #changes = new BoundedMap<string, RunChange>(KEPT_CHANGES);
  #seqs = new Map<string, number>();
  #turn = 0;
  #forgotten = 0;
  #users = 0;
  #looking: AbortController | undefined;
  #first: Promise<void> = Promise.resolve();

  constructor(store: Store, items: RunListItems, log: DashboardLog) {
    this.#store = store;
    this.#items = items;
    this.#log = log;
  }

  /** Position of the last change. */
  get turn(): number {
    return this.#turn;
  }

  /** Whether what changed after a position is all there still. */
  reaches(turn: number): boolean {
    return turn >= this.#forgotten && turn <= this.#turn;
  }

  /** Runs that changed after a position, in the order of their last change. */
  after(turn: number): RunChange[] {
    return [...this.#changes.values()].filter((change) => change.turn > turn);
  }

  /** Waits for a change after a position. */
  async changed(turn: number, signal: AbortSignal): Promise<void> {
    if (turn < this.#turn || signal.aborted) return;
    await once(this.#news, "change", { signal }).catch(() => undefined);
  }

  /** Runs `use` while the runs are looked at. */
  async with(use: () => Promise<void>): Promise<void> {
    this.#users += 1;
    if (this.#looking === undefined) this.#begin();
    try {
      await this.#first;
      await use();
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.close();
    }
  }

  close(): void {
    this.#looking?.abort();
    this.#looking = undefined;
  }

  #begin(): void {
    const looking = new AbortController();
    this.#looking = looking;
    this.#first = this.#look();
    void this.#goOn(looking.signal);
  }

  async #goOn(signal: AbortSignal): Promise<void> {
    await this.#first;
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    try {
      const [live, latest] = await Promise.all([
        this.#store.runs.listLive(),
        this.#store.index.page({ limit: LATEST_RUNS }),
      ]);
      const ids = new Set([...live, ...latest.map(({ runId }) => runId), ...this.#seqs.keys()]);
      await this.#compare(await this.#store.index.heads([...ids]), new Set([...live, ...latest.map((l) => l.runId)]));
    } catch (err) {
      this.#log.debug({ err }, "runs could not be looked at");
    }
  }

  /** @param watched runs that are looked at the next time as well: the others have just been seen to end */
  async #compare(heads: readonly { runId: string; seq: number }[], watched: ReadonlySet<string>): Promise<void> {
    const isFirst = this.#seqs.size === 0 && this.#turn === 0;
    const seqs = new Map<string, number>();
    for (const { runId, seq } of heads) {
      if (watched.has(runId)) seqs.set(runId, seq);
      if (isFirst || this.#seqs.get(runId) === seq) continue;
      const item = await this.#items.find(runId);
      if (item !== undefined) this.#note(runId, item);
    }
    const found = new Set(heads.map(({ runId }) => runId));
    for (const runId of this.#seqs.keys()) if (!found.has(runId)) this.#note(runId, undefined);
    this.#seqs = seqs;
    // so that the very first look counts as one, even of a deployment without runs
    if (isFirst) this.#turn = 1;
  }

  #note(runId: string, item: RunListItem | undefined): void {
    this.#turn += 1;
    this.#changes.set(runId, { turn: this.#turn, runId, item });
    const [oldest] = this.#changes.values();
    if (oldest !== undefined && this.#turn > KEPT_CHANGES) this.#forgotten = oldest.turn - 1;
    this.#news.emit("change");
  }
}
