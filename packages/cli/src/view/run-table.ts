import { formatDuration } from "@fanfold/core";
import type { RunRecord } from "@fanfold/schemas";
import { displayWidth, fitToWidth, plainText } from "./plain-text.ts";
import { createPalette, renderLine, type Segment, type TextStyle } from "./text-style.ts";

/** What a list of runs tells of each. */
export type RunRow = Pick<
  RunRecord,
  "run_id" | "plan_id" | "plan_version" | "status" | "created_at_ms" | "started_at_ms" | "finished_at_ms"
>;

const GAP = "  ";
const TITLES = ["RUN", "STATUS", "PLAN", "CREATED", "DURATION"] as const;

/** Columns that stay on the narrowest terminal, uncut: an id is there to be copied. */
const FIXED_COLUMNS = 2;

/** Runs as a table, in the order given. On a narrow terminal whole columns are left out, from the right. */
export function renderRunTable(rows: readonly RunRow[], style: TextStyle = {}): string {
  if (rows.length === 0) return "no runs";
  const palette = createPalette(style.color ?? false);
  const cells = rows.map((row) => runCells(row, style.nowMs));
  const widths = TITLES.map((title, column) =>
    Math.max(...[title, ...cells.map((row) => row[column] ?? "")].map(displayWidth)),
  );
  const shown = fittingColumns(widths, style.columns ?? Number.POSITIVE_INFINITY);
  const render = (texts: readonly string[], paint: (column: number) => Segment["paint"]): string =>
    renderLine(
      texts
        .slice(0, shown)
        .map((text, column) => ({ text: fitToWidth(text, widths[column] ?? 0) + GAP, paint: paint(column) })),
    );
  return [
    render(TITLES, () => palette.faint),
    ...cells.map((row, index) => {
      const status = rows[index]?.status;
      return render(row, (column) => (column === 1 && status !== undefined ? palette.status(status) : undefined));
    }),
  ].join("\n");
}

function runCells(row: RunRow, nowMs: number | undefined): string[] {
  const endMs = row.finished_at_ms ?? nowMs ?? null;
  const isMeasured = row.started_at_ms !== null && endMs !== null;
  return [
    row.run_id,
    row.status,
    `${row.plan_id} ${row.plan_version}`,
    `${new Date(row.created_at_ms).toISOString().slice(0, 19)}Z`,
    isMeasured ? formatDuration(endMs - (row.started_at_ms ?? endMs)) : "",
  ].map(plainText);
}

function fittingColumns(widths: readonly number[], columns: number): number {
  let used = 0;
  for (const [index, width] of widths.entries()) {
    used += width + (index === 0 ? 0 : GAP.length);
    if (used > columns && index >= FIXED_COLUMNS) return index;
  }
  return widths.length;
}
