import { type CapDocument, formatCount, formatDuration, type SlotHolderFacts } from "@fanfold/core";
import { createPalette, type TextStyle } from "./text-style.ts";
import { renderTable } from "./text-table.ts";

const COLUMNS = [
  { title: "CAP" },
  { title: "OF" },
  { title: "LIMIT", align: "right" as const },
  { title: "IN USE", align: "right" as const },
  { title: "WAITING", align: "right" as const },
  { title: "HELD BY" },
];

/** Columns that stay on the narrowest terminal. */
const FIXED_COLUMNS = 5;

/** Holders that get a line; the rest is counted. */
const MAX_HOLDERS = 20;

/** Caps as a table, each with a line for every holder. */
export function renderCaps(caps: readonly CapDocument[], style: TextStyle = {}): string {
  if (caps.length === 0) return "no caps";
  const palette = createPalette(style.color ?? false);
  return renderTable(
    COLUMNS,
    caps.flatMap((cap) => capRows(cap, style.nowMs)),
    {
      columns: style.columns,
      fixedColumns: FIXED_COLUMNS,
      paintTitle: palette.faint,
      paintCell: (_row, column) => (column === 0 ? palette.strong : undefined),
    },
  ).join("\n");
}

function capRows(cap: CapDocument, nowMs: number | undefined): string[][] {
  const shown = cap.holders.slice(0, MAX_HOLDERS).map((holder) => holderText(holder, nowMs));
  const more = cap.holders.length - shown.length;
  const [first = "", ...rest] = more > 0 ? [...shown, `and ${more} more`] : shown;
  const waiting = cap.kind === "key" && cap.waiting > 0 ? formatCount(cap.waiting, "run") : String(cap.waiting);
  return [
    [cap.kind, cap.name, limitText(cap), String(cap.in_use), waiting, first],
    ...rest.map((text) => ["", "", "", "", "", text]),
  ];
}

function limitText({ limit, rate }: CapDocument): string {
  const perTime = rate === null ? [] : [`${rate.max} in ${formatDuration(rate.duration_ms)}`];
  return [...(limit === null ? [] : [String(limit)]), ...perTime].join(", ");
}

function holderText(holder: SlotHolderFacts, nowMs: number | undefined): string {
  const { run_id: runId, phase, shard, attempt, worker, since_ms: sinceMs } = holder;
  const place = `${runId}/${phase}[${shard}]`;
  if (attempt === null) return `${place} queued`;
  const since = sinceMs === null || nowMs === undefined ? "" : `, ${formatDuration(nowMs - sinceMs)}`;
  return `${place} attempt ${attempt} on ${worker ?? "a worker"}${since}`;
}
