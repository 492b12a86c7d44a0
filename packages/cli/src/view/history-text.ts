import { formatDuration, type RevisionDocument } from "@fanfold/core";
import { createPalette, type TextStyle } from "./text-style.ts";
import { renderTable } from "./text-table.ts";

const COLUMNS = ["REVISION", "STATUS", "COMPLETED", "DURATION", "OUTPUT", "MADE FROM"].map((title) => ({ title }));
/** Columns that stay on the narrowest terminal. */
const FIXED_COLUMNS = 2;
const SHORT_HASH_CHARS = 12;
/** Dependencies that are named one by one. */
const MAX_NAMED = 4;

/** The revisions of a run's phases as a table. */
export function renderHistory(revisions: readonly RevisionDocument[], style: TextStyle = {}): string {
  if (revisions.length === 0) return "no revisions yet";
  const palette = createPalette(style.color ?? false);
  return renderTable(COLUMNS, revisions.map(cells), {
    columns: style.columns,
    fixedColumns: FIXED_COLUMNS,
    paintTitle: palette.faint,
    paintCell: (row, column) => {
      const status = revisions[row]?.status;
      if (column !== 1 || status === undefined) return undefined;
      return status === "superseded" ? palette.faint : palette.status(status);
    },
  }).join("\n");
}

function cells(revision: RevisionDocument): string[] {
  const { phase, status, started_at, completed_at, artifacts, stale_cause, error } = revision;
  const isMeasured = started_at !== null && completed_at !== null;
  const [first] = artifacts;
  return [
    `${phase}@r${revision.revision}`,
    stale_cause === null ? status : `${status}, stale: ${stale_cause}`,
    completed_at === null ? "" : `${completed_at.slice(0, 19)}Z`,
    isMeasured ? formatDuration(Date.parse(completed_at) - Date.parse(started_at)) : "",
    error ?? (first === undefined ? "" : first.sha256.slice(0, SHORT_HASH_CHARS)),
    madeFrom(revision),
  ];
}

function madeFrom({ dependencies }: RevisionDocument): string {
  const named = dependencies.slice(0, MAX_NAMED).map(({ phase, revision }) => `${phase}@r${revision}`);
  const rest = dependencies.length - named.length;
  return rest > 0 ? `${named.join(", ")} and ${rest} more` : named.join(", ");
}
