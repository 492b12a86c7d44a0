import {
  type ApprovalView,
  describeCause,
  formatCount,
  formatDuration,
  phaseProgressAt,
  phaseTimeMs,
  type PhaseView,
  type RunView,
} from "@fanfold/core";
import { displayWidth, fitToWidth, plainText } from "./plain-text.ts";
import { etaText, percentText, progressBar } from "./progress-text.ts";
import { type Paint, type Palette, renderLine, type Segment } from "./text-style.ts";

const STATUS_COLUMNS = "succeeded".length;
const MAX_NAME_COLUMNS = 32;

/** Below this a counter goes without its noun. */
const ROOMY_COLUMNS = 60;

const MAX_DEPENDENCIES_NAMED = 3;

/** Widths the rows of one table share, and what they are drawn with. */
export interface RowLayout {
  readonly nameColumns: number;
  readonly counterColumns: number;
  readonly timeColumns: number;
  readonly columns: number;
  readonly isRoomy: boolean;
  readonly nowMs: number;
  readonly palette: Palette;
}

/** The layout in which these phases stand below each other; names take at most a third of the width. */
export function layoutRows(
  phases: readonly PhaseView[],
  terminal: Pick<RowLayout, "columns" | "nowMs" | "palette">,
): RowLayout {
  const isRoomy = terminal.columns >= ROOMY_COLUMNS;
  const mostForNames = Math.max(8, Math.min(MAX_NAME_COLUMNS, Math.floor(terminal.columns / 3)));
  return {
    ...terminal,
    isRoomy,
    nameColumns: Math.min(mostForNames, widest(phases.map(({ phase }) => plainText(phase)))),
    counterColumns: widest(phases.map((phase) => shardCounter(phase, isRoomy))),
    timeColumns: widest(phases.map((phase) => elapsedTime(phase, terminal.nowMs))),
  };
}

/**
 * One phase as one line: name, status, shards, time, progress, and what else there is to say. On a narrow
 * terminal the time left, the bar, the percent and then the time give way before anything is cut.
 */
export function phaseRow(phase: PhaseView, view: RunView, layout: RowLayout): string {
  const row = rowSegments(phase, layout);
  const details = detailSegments(phase, view, layout.palette);
  const candidates = [
    [...row.head, ...row.time, ...row.bar, ...row.percent, ...row.eta, ...details],
    [...row.head, ...row.time, ...row.bar, ...row.percent, ...details],
    [...row.head, ...row.time, ...row.percent, ...details],
    [...row.head, ...row.time, ...details],
    [...row.head, ...details],
  ];
  const fitting = candidates.find((segments) => segmentsWidth(segments) <= layout.columns);
  return renderLine(fitting ?? [...row.head, ...details], layout.columns);
}

type RowPart = "head" | "time" | "bar" | "percent" | "eta";

function rowSegments(phase: PhaseView, layout: RowLayout): Record<RowPart, Segment[]> {
  const { palette } = layout;
  const isRunning = phase.status === "running";
  const counter = shardCounter(phase, layout.isRoomy);
  const elapsed = elapsedTime(phase, layout.nowMs);
  return {
    head: [
      {
        text: `  ${fitToWidth(plainText(phase.phase), layout.nameColumns)}  `,
        paint: isRunning ? palette.strong : undefined,
      },
      { text: fitToWidth(phase.status, STATUS_COLUMNS), paint: palette.status(phase.status) },
      ...(layout.counterColumns > 0 ? [{ text: `  ${fitToWidth(counter, layout.counterColumns)}` }] : []),
    ],
    time:
      layout.timeColumns > 0 ? [{ text: `  ${fitToWidth(elapsed, layout.timeColumns)}`, paint: palette.faint }] : [],
    ...progressSegments(phase, layout),
  };
}

/** The progress of a running phase; that of a single shard says nothing unless it reports how far it is. */
function progressSegments(phase: PhaseView, { nowMs }: RowLayout): Record<"bar" | "percent" | "eta", Segment[]> {
  const progress = phaseProgressAt(phase, nowMs);
  const { percent, eta_sec: etaSec, metrics } = progress;
  const isTelling = phase.shards.total > 1 || metrics.some((metric, index) => index > 0 && metric.percent !== null);
  if (phase.status !== "running" || percent === null || !isTelling) return { bar: [], percent: [], eta: [] };
  const eta = etaText(etaSec);
  return {
    bar: [{ text: `  ${progressBar(percent)}` }],
    percent: [{ text: `  ${percentText(progress)}` }],
    eta: eta === "" ? [] : [{ text: `, ${eta}` }],
  };
}

function detailSegments(phase: PhaseView, view: RunView, palette: Palette): Segment[] {
  const { shards } = phase;
  return [
    ...(phase.approval === null ? [] : [{ text: `  ${asks(phase.approval)}`, paint: palette.level("warn") }]),
    ...count(shards.running, "running"),
    ...count(shards.backoff, "backoff", palette.level("warn")),
    ...count(shards.failed, "failed", palette.level("error")),
    ...count(phase.reused_shards, "reused", palette.faint),
    ...count(phase.lost, "lost", palette.level("warn")),
    ...(phase.revision > 1 ? [{ text: `  revision ${phase.revision}`, paint: palette.faint }] : []),
    ...(phase.is_stale ? [{ text: "  stale", paint: palette.level("warn") }] : []),
    ...remark(phase, view).map((text) => ({ text: `  ${text}`, paint: palette.faint })),
  ];
}

function asks({ message }: ApprovalView): string {
  return message === null ? "waits for an approval" : `waits for an approval: ${message}`;
}

function count(amount: number, what: string, paint?: Paint): Segment[] {
  return amount > 0 ? [{ text: `  ${amount} ${what}`, paint }] : [];
}

/** What a pending phase waits for, why a skipped or cancelled one did not run, or what a merge complained about. */
function remark(phase: PhaseView, view: RunView): string[] {
  if (phase.status === "blocked" && phase.problem !== null) return [phase.problem.why];
  if (phase.cause !== null) return [describeCause(phase.cause.code, phase.cause.phase)];
  if (phase.status === "failed" && phase.shards.failed === 0 && phase.problem !== null) return [phase.problem.why];
  if (phase.status !== "pending" || view.finished_at_ms !== null) return [];
  const open = phase.depends_on.filter((source) => isUnfinished(view.phases.get(source)));
  if (open.length === 0) return [];
  const named = open.slice(0, MAX_DEPENDENCIES_NAMED).join(", ");
  const more = open.length - MAX_DEPENDENCIES_NAMED;
  return [`waits for ${named}${more > 0 ? ` and ${more} more` : ""}`];
}

function isUnfinished(phase: PhaseView | undefined): boolean {
  return phase === undefined || phase.status === "pending" || phase.status === "running";
}

function shardCounter({ shards, started_at_ms: startedAtMs, progress }: PhaseView, isRoomy: boolean): string {
  if (shards.total === 0 && (startedAtMs === null || !progress.is_cut)) return "";
  return `${shards.succeeded}/${isRoomy ? formatCount(shards.total, "shard") : shards.total}`;
}

function elapsedTime(phase: PhaseView, nowMs: number): string {
  const timeMs = phaseTimeMs(phase, nowMs);
  return timeMs === null ? "" : formatDuration(timeMs);
}

function widest(texts: readonly string[]): number {
  let columns = 0;
  for (const text of texts) columns = Math.max(columns, displayWidth(text));
  return columns;
}

function segmentsWidth(segments: readonly Segment[]): number {
  return displayWidth(
    plainText(
      segments
        .map(({ text }) => text)
        .join("")
        .trimEnd(),
    ),
  );
}
