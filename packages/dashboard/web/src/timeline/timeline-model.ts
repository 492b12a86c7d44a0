import type { JournalLine } from "@fanfold/schemas";

/** What a time was spent with. */
export type SegmentKind = "waiting" | "queued" | "backoff" | "running" | "succeeded" | "failed" | "lost" | "cancelled";

/** A stretch of time; `endMs` is absent while it goes on. Unix ms. */
export interface Segment {
  readonly kind: SegmentKind;
  readonly startMs: number;
  readonly endMs?: number;
  readonly phase: string;
  readonly shard?: number;
  readonly attempt?: number;
}

/** Attempts that ended with these outcomes are drawn as what they came to. */
const ENDS: Readonly<Record<string, SegmentKind>> = {
  shard_succeeded: "succeeded",
  shard_reused: "succeeded",
  shard_failed: "failed",
  shard_retry: "failed",
  shard_iterated: "succeeded",
  shard_lost: "lost",
  shard_spawned: "succeeded",
  shard_cancelled: "cancelled",
};

const PHASE_ENDS: Readonly<Record<string, SegmentKind>> = {
  phase_succeeded: "succeeded",
  phase_failed: "failed",
  phase_cancelled: "cancelled",
};

/** A segment that may still change. */
type OpenSegment = { -readonly [Field in keyof Segment]: Segment[Field] };

/**
 * Where the time of a run went, as its journal tells: for each phase, for each shard, and for each worker. Lines are
 * added in order; what was added is never looked at again.
 */
export class TimelineModel {
  startMs: number | undefined;
  endMs: number | undefined;
  readonly phases = new Map<string, OpenSegment[]>();
  readonly shards = new Map<string, Map<number, OpenSegment[]>>();
  readonly workers = new Map<string, OpenSegment[]>();
  lastSeq = 0;

  /** Adds lines; those that were added before are left out. */
  add(lines: readonly JournalLine[]): void {
    for (const line of lines) {
      if (line.seq <= this.lastSeq) continue;
      this.lastSeq = line.seq;
      this.#addLine(line, Date.parse(line.timestamp));
    }
  }

  /** Segments of a shard. */
  shardSegments(phase: string, shard: number): readonly Segment[] {
    return this.shards.get(phase)?.get(shard) ?? [];
  }

  #addLine(line: JournalLine, atMs: number): void {
    this.startMs ??= atMs;
    if (line.shard !== null && line.phase !== null) this.#addShardLine(line, line.phase, line.shard, atMs);
    else if (line.phase !== null) this.#addPhaseLine(line, line.phase, atMs);
    if (line.event === "run_reopened" || line.event === "run_started") this.endMs = undefined;
    if (/^run_(?:succeeded|failed|cancelled)$/.test(line.event)) this.endMs = atMs;
  }

  #addPhaseLine({ event, data }: JournalLine, phase: string, atMs: number): void {
    const own = getOr(this.phases, phase, () => []);
    if (event === "phase_started") {
      if (own.length === 0 && this.startMs !== undefined)
        own.push({ kind: "waiting", phase, startMs: this.startMs, endMs: atMs });
      own.push({ kind: "running", phase, startMs: atMs });
      this.#queueShards(phase, Number(data["shard_count"] ?? 0), atMs);
    } else if (event === "approval_requested") {
      const last = own.at(-1);
      if (last?.kind === "running" && last.startMs === atMs) own.pop();
      else endLast(own, atMs);
      own.push({ kind: "waiting", phase, startMs: atMs });
    } else if (event === "approval_given") {
      endLast(own, atMs);
      own.push({ kind: "running", phase, startMs: atMs });
    } else if (event === "phase_reopened" && own.at(-1)?.endMs !== undefined)
      own.push({ kind: "waiting", phase, startMs: atMs });
    const end = PHASE_ENDS[event];
    if (end !== undefined) endLast(own, atMs, end);
  }

  #queueShards(phase: string, count: number, atMs: number): void {
    const shards = getOr(this.shards, phase, () => new Map());
    for (let shard = 0; shard < count; shard += 1) {
      const own = getOr(shards, shard, () => []);
      if (own.length === 0) own.push({ kind: "queued", phase, shard, startMs: atMs });
    }
  }

  #addShardLine(line: JournalLine, phase: string, shard: number, atMs: number): void {
    const own = getOr(
      getOr(this.shards, phase, () => new Map<number, OpenSegment[]>()),
      shard,
      () => [],
    );
    if (line.event === "shard_started") this.#startAttempt(line, own, atMs);
    const end = ENDS[line.event];
    if (end === undefined) return;
    endLast(own, atMs, end);
    if (line.event === "shard_retry") own.push({ kind: "backoff", phase, shard, startMs: atMs });
    if (line.event === "shard_spawned") own.push({ kind: "waiting", phase, shard, startMs: atMs });
    if (line.event === "shard_lost") own.push({ kind: "queued", phase, shard, startMs: atMs });
  }

  /** The same segment stands for the shard and for its worker, so that its end ends both. */
  #startAttempt({ phase, shard, attempt, data }: JournalLine, own: OpenSegment[], atMs: number): void {
    if (phase === null || shard === null) return;
    endLast(own, atMs);
    const segment: OpenSegment = {
      kind: "running",
      phase,
      shard,
      ...(attempt === null ? {} : { attempt }),
      startMs: atMs,
    };
    own.push(segment);
    getOr(this.workers, textOf(data["worker"]), () => []).push(segment);
    const ofPhase = getOr(this.phases, phase, () => []);
    const last = ofPhase.at(-1);
    if (last !== undefined && last.endMs === undefined && last.kind === "running") return;
    endLast(ofPhase, atMs);
    ofPhase.push({ kind: "running", phase, startMs: atMs });
  }
}

/** Ends the last segment if it goes on; a running one becomes what it came to. */
function endLast(segments: OpenSegment[], atMs: number, outcome?: SegmentKind): void {
  const last = segments.at(-1);
  if (last === undefined || last.endMs !== undefined) return;
  last.endMs = atMs;
  if (outcome !== undefined && last.kind === "running") last.kind = outcome;
}

function getOr<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "unknown";
}
