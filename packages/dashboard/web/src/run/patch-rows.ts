import type { Failure, JournalLine, ShardRow } from "@fanfold/schemas";

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
  const atMs = Date.parse(line.timestamp);
  const { data } = line;
  const over = { finished_at_ms: atMs, duration_ms: numberOf(data["duration_ms"]) ?? durationOf(row, atMs) };
  switch (line.event) {
    case "shard_started": {
      const attempt = line.attempt ?? row.attempt;
      const worker = typeof data["worker"] === "string" ? data["worker"] : row.worker;
      const fresh = { started_at_ms: atMs, finished_at_ms: null, duration_ms: null, failure: null };
      return { ...row, ...fresh, status: "running", attempt, attempts: Math.max(row.attempts, attempt ?? 0), worker };
    }
    case "shard_succeeded":
      return { ...row, ...over, status: "succeeded", failure: null };
    case "shard_retry":
      return { ...row, ...over, status: "backoff", failure: failureOf(line) };
    case "shard_failed":
      return { ...row, ...over, status: "failed", failure: failureOf(line) };
    case "shard_lost":
      return { ...row, status: "waiting" };
    case "shard_cancelled":
      return { ...row, status: "cancelled", finished_at_ms: atMs };
    default:
      return row;
  }
}

function failureOf({ data }: JournalLine): Failure {
  return { error_code: String(data["error_code"] ?? "FAILED"), why: String(data["why"] ?? "failed") };
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function durationOf({ started_at_ms: startedMs }: ShardRow, atMs: number): number | null {
  return startedMs === null ? null : Math.max(0, atMs - startedMs);
}
