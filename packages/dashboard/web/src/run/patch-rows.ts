import type { EventName, Failure, JournalLine, ShardRow } from "@fanfold/schemas";

/** Rows as they are after some lines of the journal, in any order of rows. Rows that nothing happened to stay the same objects. */
export function patchRows(rows: readonly ShardRow[], lines: readonly JournalLine[]): readonly ShardRow[] {
  const byShard = new Map<number, JournalLine[]>();
  for (const line of lines) {
    if (line.shard === null) continue;
    const own = byShard.get(line.shard);
    if (own === undefined) byShard.set(line.shard, [line]);
    else own.push(line);
  }
  if (byShard.size === 0) return rows;
  return rows.map((row) => byShard.get(row.shard)?.reduce(patchRow, row) ?? row);
}

function patchRow(row: ShardRow, line: JournalLine): ShardRow {
  const change = CHANGES[line.event];
  return change === undefined ? row : { ...row, ...change(row, line, Date.parse(line.timestamp)) };
}

type Change = (row: ShardRow, line: JournalLine, atMs: number) => Partial<ShardRow>;

/** What each event changes of its shard's row. */
const CHANGES: Partial<Record<EventName, Change>> = {
  shard_started: (row, { attempt, data }, atMs) => ({
    status: "running",
    attempt: attempt ?? row.attempt,
    attempts: Math.max(row.attempts, attempt ?? 0),
    worker: textOf(data["worker"]) ?? row.worker,
    started_at_ms: atMs,
    finished_at_ms: null,
    duration_ms: null,
    failure: null,
  }),
  shard_succeeded: (row, line, atMs) => ({ ...endOf(row, line, atMs), status: "succeeded", failure: null }),
  shard_reused: (_row, _line, atMs) => ({ status: "succeeded", finished_at_ms: atMs, failure: null }),
  shard_retry: (row, line, atMs) => ({ ...endOf(row, line, atMs), status: "backoff", failure: failureOf(line) }),
  shard_iterated: (row, line, atMs) => ({ ...endOf(row, line, atMs), status: "waiting", failure: null }),
  shard_failed: (row, line, atMs) => ({ ...endOf(row, line, atMs), status: "failed", failure: failureOf(line) }),
  shard_lost: () => ({ status: "waiting" }),
  shard_spawned: (row, line, atMs) => ({ ...endOf(row, line, atMs), status: "spawned", failure: null }),
  shard_resumed: () => ({ status: "waiting" }),
  shard_cancelled: (_row, _line, atMs) => ({ status: "cancelled", finished_at_ms: atMs }),
};

function endOf(row: ShardRow, { data }: JournalLine, atMs: number): Partial<ShardRow> {
  return { finished_at_ms: atMs, duration_ms: numberOf(data["duration_ms"]) ?? durationOf(row, atMs) };
}

function failureOf({ data }: JournalLine): Failure {
  return { error_code: textOf(data["error_code"]) ?? "FAILED", why: textOf(data["why"]) ?? "failed" };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function durationOf({ started_at_ms: startedMs }: ShardRow, atMs: number): number | null {
  return startedMs === null ? null : Math.max(0, atMs - startedMs);
}
