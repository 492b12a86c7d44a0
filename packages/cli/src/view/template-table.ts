import type { ListedTemplate } from "@fanfold/engine";
import { createPalette, type TextStyle } from "./text-style.ts";
import { renderTable } from "./text-table.ts";

const COLUMNS = ["TEMPLATE", "ADDED", "PHASES", "DESCRIPTION"].map((title) => ({ title }));

/** Columns that stay on the narrowest terminal, uncut: a name is there to be copied. */
const FIXED_COLUMNS = 1;

/** Templates as a table, in the order given. */
export function renderTemplates(templates: readonly ListedTemplate[], style: TextStyle = {}): string {
  const cells = templates.map(({ name, version, description, phaseCount, addedAtMs }) => [
    `${name}@${version}`,
    addedAtMs === undefined ? "built-in" : `${new Date(addedAtMs).toISOString().slice(0, 19)}Z`,
    String(phaseCount),
    description.replace(/\s+/g, " "),
  ]);
  return renderTable(COLUMNS, cells, {
    columns: style.columns,
    fixedColumns: FIXED_COLUMNS,
    paintTitle: createPalette(style.color ?? false).faint,
    paintCell: () => undefined,
  }).join("\n");
}
