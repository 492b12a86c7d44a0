import { EventEmitter, once } from "node:events";
import type { JournalLine, RunStatus } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";
import { frameOf } from "./event-stream.ts";
import { NewsGate } from "./news-gate.ts";

/** Lines kept for streams that are up to date; one that lags reads its lines from the journal. */
const KEPT_LINES = 1_000;
/** Streams are told of lines at most once in so long, in ms: a burst costs each of them few writes. */
const MIN_HOLD_MS = 5;
const MAX_HOLD_MS = 25;
/** Streams that make it a millisecond longer: so that very many of them do not fill the process with writes. */
const STREAMS_PER_HELD_MS = 20;
/** Lines a stream takes at once. */
const PAGE = 500;

/** What the events mean for whether a run is over. */
const STATUS_BY_EVENT: Partial<Record<JournalLine["event"], RunStatus>> = {
  run_started: "running",
  run_reopened: "running",
  run_succeeded: "succeeded",
  run_failed: "failed",
  run_cancelled: "cancelled",
};

/** A line of the journal, ready to be sent. */
export interface FedLine {
  readonly line: JournalLine;
  readonly frame: string;
}

/** Lines after a position. Without any: the stream is up to date, and `status` is that of the run. */
export interface FedLines {
  readonly lines: readonly FedLine[];
  readonly status: RunStatus;
}

/**
 * The journal of one run for all who stream it: one reader of Redis however many there are. Each stream pulls, so that
 * nothing piles up for one that is slow.
 */
export class RunFeed {
  readonly #store: Store;
  readonly #runId: string;
  readonly #stop = new AbortController();
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #recent: FedLine[] = [];
  #status: RunStatus = "queued";
  #lastSeq = 0;
  #opening: Promise<void> | undefined;
  readonly #gate = new NewsGate(
    () => this.#news.emit("line"),
    () => Math.min(MAX_HOLD_MS, MIN_HOLD_MS + this.#news.listenerCount("line") / STREAMS_PER_HELD_MS),
  );

  constructor(store: Store, runId: string) {
    this.#store = store;
    this.#runId = runId;
  }

  /** Begins to read, once. @throws {StoreError} RUN_NOT_FOUND */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Aborts when the feed is closed, or cannot read any more. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Last line the feed knows of. */
  get position(): number {
    return this.#lastSeq;
  }

  close(): void {
    this.#stop.abort();
    this.#news.emit("line"); // whoever waits for a line looks again, and sees the end
  }

  /** Lines after a position that are there now, at most a page. */
  async read(after: number): Promise<FedLines> {
    if (after >= this.#lastSeq) return { lines: [], status: this.#status };
    const first = this.#recent[0]?.line.seq ?? Number.POSITIVE_INFINITY;
    if (after + 1 >= first) {
      const start = after + 1 - first;
      return { lines: this.#recent.slice(start, start + PAGE), status: this.#status };
    }
    const lines = await this.#store.journal.read(this.#runId, after, PAGE);
    return { lines: lines.map(fed), status: this.#status };
  }

  /** Waits for a line after a position. */
  async changed(after: number, signal: AbortSignal): Promise<void> {
    if (after < this.#lastSeq || signal.aborted || this.signal.aborted) return;
    await once(this.#news, "line", { signal }).catch(() => undefined);
  }

  async #open(): Promise<void> {
    this.#lastSeq = await this.#store.journal.lastSeq(this.#runId);
    this.#status = (await this.#store.runs.get(this.#runId)).status;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    try {
      for await (const line of this.#store.journal.follow(this.#runId, this.#lastSeq, this.#stop)) this.#take(line);
    } finally {
      this.close();
    }
  }

  #take(line: JournalLine): void {
    this.#lastSeq = line.seq;
    this.#status = STATUS_BY_EVENT[line.event] ?? this.#status;
    this.#recent.push(fed(line));
    if (this.#recent.length > 2 * KEPT_LINES) this.#recent.splice(0, this.#recent.length - KEPT_LINES);
    this.#gate.note();
  }
}

/** The feeds of runs that somebody streams. */
export class RunFeeds {
  readonly #store: Store;
  readonly #open = new Map<string, { readonly feed: RunFeed; users: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Runs `use` with the feed of a run; the last one to end closes it. @throws {StoreError} RUN_NOT_FOUND */
  async with(runId: string, use: (feed: RunFeed) => Promise<void>): Promise<void> {
    const entry = this.#enter(runId);
    try {
      await entry.feed.open();
      await use(entry.feed);
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#leave(runId, entry.feed);
    }
  }

  #enter(runId: string): { readonly feed: RunFeed; users: number } {
    const known = this.#open.get(runId);
    const entry =
      known === undefined || known.feed.signal.aborted ? { feed: new RunFeed(this.#store, runId), users: 0 } : known;
    entry.users += 1;
    this.#open.set(runId, entry);
    return entry;
  }

  #leave(runId: string, feed: RunFeed): void {
    feed.close();
    if (this.#open.get(runId)?.feed === feed) this.#open.delete(runId);
  }
}

function fed(line: JournalLine): FedLine {
  return { line, frame: frameOf({ event: "journal", id: String(line.seq), data: JSON.stringify(line) }) };
}
