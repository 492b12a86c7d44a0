import { eventPlace, formatCount, type PhaseDocument, type Problem } from "@fanfold/core";
import type { RunReport } from "../report-document.ts";
import { fitToWidth, plainText, wrapText } from "./plain-text.ts";
import { failureLabel, problemExit, problemPlace } from "./problem-text.ts";
import { phaseColumns } from "./report-columns.ts";
import { durationText, reportFacts, toldPhases } from "./report-facts.ts";
import { createPalette, type Palette, renderLine, type TextStyle } from "./text-style.ts";
import { renderTable, type TableColumn } from "./text-table.ts";

const LABEL_COLUMNS = "critical path".length;
const MIN_TEXT_COLUMNS = 20;
const MAX_TEXT_LINES = 6;

/** A report is for reading: of more phases than this the longest are shown. */
const MAX_PHASES = 200;
const MAX_FAILURES = 20;

interface Page {
  readonly palette: Palette;
  readonly columns: number;
}

/**
 * A report for a terminal: the run's figures, its phases as a table, the slowest attempts, and what failed. On a
 * narrow terminal whole columns are left out, from the right. No line break at the end.
 */
export function renderReportText(report: RunReport, style: TextStyle = {}): string {
  const page = { palette: createPalette(style.color ?? false), columns: style.columns ?? Number.POSITIVE_INFINITY };
  return [
    ...headLines(report, page),
    ...phaseLines(report, page),
    ...slowestLines(report, page),
    ...failureLines(report, page),
    ...commandLines(report, page),
  ].join("\n");
}

function headLines(report: RunReport, page: Page): string[] {
  const { palette, columns } = page;
  const plan = [report.plan_id ?? "", report.plan_version ?? ""].join(" ").trim();
  const title = renderLine(
    [
      { text: `run ${report.run_id}  `, paint: palette.strong },
      { text: report.status, paint: palette.status(report.status) },
    ],
    columns,
  );
  const facts = [["plan", plan] as const, ...reportFacts(report)].filter(([, text]) => text !== "");
  return [title, ...facts.flatMap(([label, text]) => entry(label, text, page))];
}

function entry(label: string, text: string, { palette, columns }: Page): string[] {
  const room = Math.max(MIN_TEXT_COLUMNS, columns - LABEL_COLUMNS - 4);
  return wrapText(plainText(text), room, MAX_TEXT_LINES).map((line, index) =>
    renderLine([
      { text: `  ${fitToWidth(index === 0 ? label : "", LABEL_COLUMNS)}`, paint: palette.faint },
      { text: `  ${line}` },
    ]),
  );
}

function phaseLines(report: RunReport, { palette, columns: width }: Page): string[] {
  const told = toldPhases(report);
  const shown = longest(told, MAX_PHASES);
  if (shown.length === 0) return [];
  const figures = phaseColumns(report, shown);
  const titles: TableColumn[] = [
    { title: "PHASE" },
    { title: "STATUS" },
    ...figures.map(({ title }) => ({ title: title.toUpperCase(), align: "right" as const })),
  ];
  const rows = shown.map((phase) => [phase.phase, phase.status, ...figures.map(({ text }) => text(phase))]);
  const table = renderTable(titles, rows, {
    columns: width,
    fixedColumns: 2,
    paintTitle: palette.faint,
    paintCell: (row, column) => {
      const status = shown[row]?.status;
      return column === 1 && status !== undefined ? palette.status(status) : undefined;
    },
  });
  const hidden = report.phases.length - told.length;
  return [
    "",
    ...table,
    ...(told.length > shown.length ? [`… and ${formatCount(told.length - shown.length, "shorter phase")}`] : []),
    ...(hidden > 0 ? [`… and ${formatCount(hidden, "phase")} that took no part`] : []),
  ];
}

/** At most this many phases, the longest ones, in their order. */
function longest(phases: readonly PhaseDocument[], limit: number): readonly PhaseDocument[] {
  if (phases.length <= limit) return phases;
  const kept = new Set(phases.toSorted((a, b) => (b.wall_time_sec ?? -1) - (a.wall_time_sec ?? -1)).slice(0, limit));
  return phases.filter((phase) => kept.has(phase));
}

function slowestLines({ slowest_attempts: attempts }: RunReport, { palette, columns }: Page): string[] {
  if (attempts.length === 0) return [];
  const rows = attempts.map((attempt) => [
    eventPlace(attempt),
    durationText(attempt.duration_sec),
    attempt.attempt === null ? "" : String(attempt.attempt),
    attempt.outcome,
  ]);
  const titles: TableColumn[] = [
    { title: "SLOWEST" },
    { title: "TIME", align: "right" },
    { title: "ATTEMPT", align: "right" },
    { title: "OUTCOME" },
  ];
  const style = { columns, fixedColumns: 2, paintTitle: palette.faint, paintCell: () => undefined };
  return ["", ...renderTable(titles, rows, style)];
}

function failureLines({ failures, tolerated }: RunReport, page: Page): string[] {
  const all = [
    ...failures.map((failure) => ({ failure, label: failureLabel(failure) })),
    ...tolerated.map((failure) => ({ failure, label: "tolerated" })),
  ];
  const told = all.slice(0, MAX_FAILURES).flatMap(({ failure, label }) => ["", ...oneFailure(failure, label, page)]);
  const untold = all.length - MAX_FAILURES;
  return untold > 0 ? [...told, "", `… and ${formatCount(untold, "more failure")}`] : told;
}

function oneFailure(failure: Problem, label: string, page: Page): string[] {
  const exit = problemExit(failure);
  const { palette, columns } = page;
  return [
    renderLine(
      [
        { text: `${label}  `, paint: palette.level(label === "tolerated" ? "warn" : "error") },
        { text: problemPlace(failure), paint: palette.strong },
        { text: exit === undefined ? "" : `, ${exit}` },
      ],
      columns,
    ),
    ...entry("why", failure.why, page),
    ...(failure.next_action === null ? [] : entry("next", failure.next_action, page)),
  ];
}

function commandLines({ next_commands: commands }: RunReport, { palette }: Page): string[] {
  if (commands.length === 0) return [];
  return [
    "",
    "next:",
    ...commands.map((command) => renderLine([{ text: "  " }, { text: command, paint: palette.strong }])),
  ];
}
