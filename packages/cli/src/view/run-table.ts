import { formatDuration } from "@fanfold/core";
import type { RunRecord } from "@fanfold/schemas";
import { createPalette, type TextStyle } from "./text-style.ts";
import { renderTable } from "./text-table.ts";

/** What a list of runs tells of each. */
export type RunRow = Pick<
  RunRecord,
  "run_id" | "plan_id" | "plan_version" | "status" | "created_at_ms" | "started_at_ms" | "finished_at_ms"
> & { readonly paused?: boolean; readonly waiting_approvals?: number | undefined };

const COLUMNS = ["RUN", "STATUS", "PLAN", "CREATED", "DURATION"].map((title) => ({ title }));

/** Columns that stay on the narrowest terminal, uncut: an id is there to be copied. */
const FIXED_COLUMNS = 2;

/** Runs as a table, in the order given. On a narrow terminal whole columns are left out, from the right. */
export function renderRunTable(rows: readonly RunRow[], style: TextStyle = {}): string {
  if (rows.length === 0) return "no runs";
  const palette = createPalette(style.color ?? false);
  const cells = rows.map((row) => runCells(row, style.nowMs));
  return renderTable(COLUMNS, cells, {
    columns: style.columns,
    fixedColumns: FIXED_COLUMNS,
    paintTitle: palette.faint,
    paintCell: (row, column) => {
      const status = rows[row]?.status;
      return column === 1 && status !== undefined ? palette.status(status) : undefined;
    },
  }).join("\n");
}

function runCells(row: RunRow, nowMs: number | undefined): string[] {
  const endMs = row.finished_at_ms ?? nowMs ?? null;
  const isMeasured = row.started_at_ms !== null && endMs !== null;
  return [
    row.run_id,
    statusOf(row),
    `${row.plan_id} ${row.plan_version}`,
    `${new Date(row.created_at_ms).toISOString().slice(0, 19)}Z`,
    isMeasured ? formatDuration(endMs - (row.started_at_ms ?? endMs)) : "",
  ];
}

function statusOf({ status, paused = false, waiting_approvals = 0 }: RunRow): string {
  const remarks = [...(paused ? ["paused"] : []), ...(waiting_approvals > 0 ? ["waits for approval"] : [])];
  return remarks.length === 0 ? status : `${status} (${remarks.join(", ")})`;
}
