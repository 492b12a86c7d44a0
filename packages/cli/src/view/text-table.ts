import { displayWidth, fitToWidth, plainText } from "./plain-text.ts";
import { type Paint, renderLine, type TextStyle } from "./text-style.ts";

const GAP = "  ";

/** A column of a table. */
export interface TableColumn {
  readonly title: string;
  /** Numbers stand under each other by their end. */
  readonly align?: "left" | "right" | undefined;
}

/** What a table is printed with. */
export interface TableStyle extends Pick<TextStyle, "columns"> {
  /** Columns that stay on the narrowest terminal, uncut; the others are left out from the right. */
  readonly fixedColumns: number;
  readonly paintTitle: Paint;
  readonly paintCell: (row: number, column: number) => Paint | undefined;
}

/** Lines of a table: titles, then rows. Text from outside comes out harmless. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  style: TableStyle,
): string[] {
  const cells = rows.map((row) => row.map(plainText));
  const widths = columns.map(({ title }, column) => {
    let width = displayWidth(title);
    for (const row of cells) width = Math.max(width, displayWidth(row[column] ?? ""));
    return width;
  });
  const shown = fittingColumns(widths, style);
  const line = (texts: readonly string[], paint: (column: number) => Paint | undefined): string =>
    renderLine(
      texts.slice(0, shown).map((text, column) => ({
        text: `${column === 0 ? "" : GAP}${alignText(text, widths[column] ?? 0, columns[column])}`,
        paint: paint(column),
      })),
    );
  return [
    line(
      columns.map(({ title }) => title),
      () => style.paintTitle,
    ),
    ...cells.map((row, index) => line(row, (column) => style.paintCell(index, column))),
  ];
}

function alignText(text: string, width: number, column: TableColumn | undefined): string {
  if (column?.align !== "right") return fitToWidth(text, width);
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

function fittingColumns(
  widths: readonly number[],
  { columns = Number.POSITIVE_INFINITY, fixedColumns }: TableStyle,
): number {
  let used = 0;
  for (const [index, width] of widths.entries()) {
    used += width + (index === 0 ? 0 : GAP.length);
    if (used > columns && index >= fixedColumns) return index;
  }
  return widths.length;
}
