import type { JournalLine } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";
import { BoundedMap } from "../live/bounded-map.ts";

/** Journal lines of one run that one scrape takes in; what is more comes with the next. */
const MAX_LINES = 20_000;
/** Runs that were created since the last look and are taken in: more are left out. */
const MAX_NEW_RUNS = 500;
/** Runs whose position is kept. */
const KEPT_RUNS = 10_000;
/** How far the clock of whoever submitted a run may be behind, in ms. */
const CLOCK_SKEW_MS = 60_000;

/** What a tally hands on. */
export interface AttemptSink {
  /** @param seconds undefined where the journal does not tell */
  ended(outcome: string, seconds: number | undefined): void;
  retried(): void;
  lost(): void;
}

const OUTCOMES: Partial<Record<JournalLine["event"], string>> = {
  shard_succeeded: "succeeded",
  shard_iterated: "succeeded",
  shard_spawned: "succeeded",
  shard_retry: "failed",
  shard_failed: "failed",
  shard_cancelled: "cancelled",
  shard_lost: "lost",
};

/** Counts the attempts of all runs since it was made, by reading on in the journals of those under way. */
export class AttemptTally {
  readonly #store: Store;
  readonly #sink: AttemptSink;
  readonly #positions = new BoundedMap<string, number>(KEPT_RUNS);
  #live: readonly string[] = [];
  #lookedAtMs: number | undefined;

  constructor(store: Store, sink: AttemptSink) {
    this.#store = store;
    this.#sink = sink;
  }

  /** Takes in what has happened since the last time. The first time nothing: counters begin with the process. */
  async catchUp(): Promise<void> {
    const sinceMs = this.#lookedAtMs;
    this.#lookedAtMs = Date.now();
    const live = await this.#store.runs.listLive();
    const before = this.#live;
    this.#live = live;
    if (sinceMs === undefined) return this.#skip(live);
    const fresh = await this.#store.index.page({ sinceMs: sinceMs - CLOCK_SKEW_MS, limit: MAX_NEW_RUNS });
    for (const { runId } of fresh) if (this.#positions.get(runId) === undefined) this.#positions.set(runId, 0);
    await this.#skip(live.filter((runId) => this.#positions.get(runId) === undefined));
    const under = new Set([...before, ...live, ...fresh.map(({ runId }) => runId)]);
    for (const runId of under) await this.#read(runId, this.#positions.get(runId) ?? 0);
  }

  /** Begins at the end of what runs have written: of old ones, and of those of which nothing is known any more. */
  async #skip(runIds: readonly string[]): Promise<void> {
    for (const { runId, seq } of await this.#store.index.heads(runIds)) this.#positions.set(runId, seq);
  }

  async #read(runId: string, from: number): Promise<void> {
    let last = from;
    for await (const line of this.#store.journal.readAll(runId, from)) {
      this.#take(line);
      last = line.seq;
      if (last - from === MAX_LINES) break;
    }
    this.#positions.set(runId, last);
  }

  #take(line: JournalLine): void {
    const outcome = OUTCOMES[line.event];
    // its attempt had ended before, when it spawned the child
    if (outcome === undefined || line.data.error_code === "CHILD_FAILED") return;
    const { duration_ms: durationMs } = line.data;
    this.#sink.ended(outcome, typeof durationMs === "number" ? durationMs / 1_000 : undefined);
    if (line.event === "shard_retry") this.#sink.retried();
    if (line.event === "shard_lost") this.#sink.lost();
  }
}
