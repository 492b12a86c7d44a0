import type { JournalLine, ShardQuery, ShardStand } from "@fanfold/schemas";

/** What the table knows of a shard. */
interface ShardEntry {
  status: ShardStand;
  /** Attempts of all revisions are counted apart: these are those of the latest. */
  attempts: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  worker: string;
  why: string;
}

/** Which shards to list. */
export type ShardFilter = Pick<ShardQuery, "status" | "q" | "sort" | "order">;

const ENDS: Partial<Record<JournalLine["event"], ShardStand>> = {
  shard_retry: "backoff",
  shard_iterated: "waiting",
  shard_lost: "waiting",
  shard_spawned: "spawned",
  shard_resumed: "waiting",
  shard_succeeded: "succeeded",
  shard_reused: "succeeded",
  shard_failed: "failed",
  shard_cancelled: "cancelled",
};

/**
 * The shards of one phase as the journal tells of them: enough to filter and sort 100,000 of them without reading
 * them. Holds the latest revision only, and nothing of shards that have not started.
 */
export class ShardTable {
  #revision = 0;
  #shardCount = 0;
  #shards: (ShardEntry | undefined)[] = [];

  /** Takes the next line of the phase. */
  take(line: JournalLine): void {
    const revision = typeof line.data.revision === "number" ? line.data.revision : this.#revision;
    if (revision < this.#revision) return;
    if (revision > this.#revision) this.#begin(revision);
    if (line.event === "phase_started") this.#shardCount = readCount(line) ?? this.#shardCount;
    if (line.shard !== null) this.#takeShard(line, line.shard);
  }

  /** Indexes of the shards that fit, in order. */
  list({ status, q, sort, order }: ShardFilter, nowMs: number): number[] {
    const total = Math.max(this.#shardCount, this.#shards.length);
    const wanted = status === undefined ? undefined : new Set(status);
    const text = q?.trim().toLowerCase() ?? "";
    const found: number[] = [];
    for (let shard = 0; shard < total; shard += 1) {
      const entry = this.#shards[shard];
      if (wanted?.has(entry?.status ?? "waiting") === false) continue;
      if (text === "" || matches(shard, entry, text)) found.push(shard);
    }
    if (sort !== "index") this.#sort(found, sort, nowMs);
    return order === "desc" ? found.toReversed() : found;
  }

  #sort(shards: number[], sort: "duration" | "attempts", nowMs: number): void {
    const weight = (shard: number): number => {
      const entry = this.#shards[shard];
      if (entry === undefined) return -1;
      if (sort === "attempts") return entry.attempts;
      return entry.startedAtMs === null ? -1 : (entry.finishedAtMs ?? nowMs) - entry.startedAtMs;
    };
    const weights = new Map(shards.map((shard) => [shard, weight(shard)]));
    shards.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0) || a - b);
  }

  #begin(revision: number): void {
    this.#revision = revision;
    this.#shardCount = 0;
    this.#shards = [];
  }

  #takeShard(line: JournalLine, shard: number): void {
    const atMs = Date.parse(line.timestamp);
    if (line.event === "shard_started") {
      const worker = typeof line.data.worker === "string" ? line.data.worker : "";
      const attempts = (this.#shards[shard]?.attempts ?? 0) + 1;
      this.#shards[shard] = { status: "running", attempts, startedAtMs: atMs, finishedAtMs: null, worker, why: "" };
      return;
    }
    const status = ENDS[line.event];
    if (status === undefined) return;
    const before = this.#shards[shard] ?? { attempts: 0, startedAtMs: null, worker: "" };
    const why = typeof line.data.why === "string" ? line.data.why.slice(0, 200) : "";
    this.#shards[shard] = { ...before, status, finishedAtMs: atMs, why };
  }
}

function readCount({ data }: JournalLine): number | undefined {
  const count = data.shard_count;
  return typeof count === "number" ? count : undefined;
}

/** A number is the beginning of an index; other text is part of a worker's name or of a failure. */
function matches(shard: number, entry: ShardEntry | undefined, text: string): boolean {
  if (/^\d+$/.test(text)) return String(shard).startsWith(text);
  return entry !== undefined && [entry.worker, entry.why].some((word) => word.toLowerCase().includes(text));
}
