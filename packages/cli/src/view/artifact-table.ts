import { formatBytes } from "@fanfold/core";
import type { ArtifactRecord } from "@fanfold/schemas";
import { renderTable, type TableColumn } from "./text-table.ts";
import { createPalette, type TextStyle } from "./text-style.ts";

const COLUMNS: readonly TableColumn[] = [
  { title: "PHASE" },
  { title: "NAME" },
  { title: "TYPE" },
  { title: "SIZE", align: "right" },
  { title: "SHA256" },
  { title: "CREATED" },
  { title: "ID" },
];
/** Columns that a narrow terminal shows, too. */
const FIXED_COLUMNS = 4;
/** Shown digits of a hash. */
const HASH_DIGITS = 12;

/** Artifacts of a run as a table. */
export function renderArtifactTable(records: readonly ArtifactRecord[], style: TextStyle): string {
  if (records.length === 0) return "no artifacts";
  const rows = records.map((record) => [
    placeOf(record),
    record.name,
    record.type,
    formatBytes(record.size_bytes),
    record.sha256.slice(0, HASH_DIGITS),
    record.created_at?.slice(0, 19).replace("T", " ") ?? "",
    record.artifact_id,
  ]);
  return renderTable(COLUMNS, rows, {
    columns: style.columns,
    fixedColumns: FIXED_COLUMNS,
    paintTitle: createPalette(style.color ?? false).faint,
    paintCell: () => undefined,
  }).join("\n");
}

/** `phase r2[3] #1`: revision and attempt are left out where they are the first. */
function placeOf({ phase, revision, shard, attempt }: ArtifactRecord): string {
  const ofRevision = revision === 1 ? "" : ` r${revision}`;
  const ofShard = shard === null ? "" : `[${shard}]`;
  return `${phase}${ofRevision}${ofShard}${attempt === null || attempt === 1 ? "" : ` #${attempt}`}`;
}
