import { formatCount, formatDuration, type PhaseDocument } from "@fanfold/core";
import type { RunReport } from "../report-document.ts";
import { type HtmlValue, html, type Markup } from "./html-markup.ts";
import { cutToWidth, plainText } from "./plain-text.ts";
import { durationText } from "./report-facts.ts";

const WIDTH = 960;
const NAME_WIDTH = 220;
/** Room on the right for the label of a bar that ends there. */
const LABEL_WIDTH = 120;
const CHART_WIDTH = WIDTH - NAME_WIDTH - LABEL_WIDTH;
const AXIS_HEIGHT = 24;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
const MIN_BAR_WIDTH = 2;
const MAX_NAME_CHARS = 31;
const MAX_TICKS = 6;

/** More bars than this are no help to an eye: the longest are drawn. */
const MAX_BARS = 150;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Distances between ticks that read well. */
const TICK_STEPS_MS = [
  [1, 2, 5, 10, 20, 50, 100, 200, 500],
  [1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND_MS),
  [1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  [1, 2, 4, 8, 12, 24, 48, 168].map((hours) => hours * HOUR_MS),
].flat();

interface Bar {
  readonly phase: PhaseDocument;
  readonly startMs: number;
  readonly endMs: number;
  readonly isCritical: boolean;
}

/** The stretch of time a timeline shows. */
interface Span {
  readonly startMs: number;
  readonly lengthMs: number;
}

/** When each phase ran, as a drawing with a bar for each; nothing when none has started. */
export function renderTimeline(report: RunReport): Markup | null {
  const all = barsOf(report);
  const bars = longestBars(all);
  const [first] = bars;
  if (first === undefined) return null;
  const startMs = Math.min(report.started_at_ms ?? first.startMs, first.startMs);
  const endMs = Math.max(report.finished_at_ms ?? report.as_of_ms, ...bars.map((bar) => bar.endMs));
  const span = { startMs, lengthMs: Math.max(1, endMs - startMs) };
  const height = AXIS_HEIGHT + bars.length * ROW_HEIGHT + 4;
  const hidden = all.length - bars.length;
  return html`<div class="scroll"><svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="When each phase ran">
${ticksOf(span).map((atMs) => renderTick(atMs, span, height))}${bars.map((bar, row) => renderBar(bar, row, span))}
</svg></div>${hidden > 0 && html`<p class="note">${formatCount(hidden, "shorter phase")} not drawn.</p>`}`;
}

function barsOf(report: RunReport): Bar[] {
  const critical = new Set(report.critical_path);
  return report.phases
    .flatMap((phase) => {
      if (phase.started_at_ms === null) return [];
      const endMs = Math.max(phase.started_at_ms, phase.finished_at_ms ?? report.as_of_ms);
      return [{ phase, startMs: phase.started_at_ms, endMs, isCritical: critical.has(phase.phase) }];
    })
    .sort((a, b) => a.startMs - b.startMs);
}

function longestBars(bars: readonly Bar[]): readonly Bar[] {
  if (bars.length <= MAX_BARS) return bars;
  const byLength = bars.toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs));
  const kept = new Set(byLength.slice(0, MAX_BARS));
  return bars.filter((bar) => kept.has(bar));
}

function ticksOf({ lengthMs }: Span): number[] {
  const step = TICK_STEPS_MS.find((stepMs) => lengthMs / stepMs <= MAX_TICKS) ?? lengthMs / MAX_TICKS;
  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_, index) => index * step);
}

function renderTick(atMs: number, span: Span, height: number): Markup {
  const x = NAME_WIDTH + scaled(atMs, span);
  return html`<g class="tick"><line x1="${x}" y1="${AXIS_HEIGHT - 6}" x2="${x}" y2="${height}"/><text x="${x}" y="12" text-anchor="middle">${tickText(atMs)}</text></g>
`;
}

/** Ticks are round: `15 s` rather than `15.0 s`. */
function tickText(atMs: number): string {
  return atMs === 0 ? "0" : formatDuration(atMs).replace(/\.0 s$/, " s");
}

function renderBar(bar: Bar, row: number, span: Span): Markup {
  const { phase, startMs, endMs, isCritical } = bar;
  const y = AXIS_HEIGHT + row * ROW_HEIGHT;
  const x = NAME_WIDTH + scaled(startMs - span.startMs, span);
  const width = Math.max(MIN_BAR_WIDTH, scaled(endMs - startMs, span));
  const baseline = y + BAR_HEIGHT - 3;
  const parts: HtmlValue[] = [
    html`<title>${barTitle(bar)}</title>`,
    html`<text class="name" x="0" y="${baseline}">${cutToWidth(plainText(phase.phase), MAX_NAME_CHARS)}</text>`,
    html`<rect class="bar ${phase.status}" x="${x}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
    isCritical &&
      html`<rect class="critical" x="${x}" y="${y + BAR_HEIGHT + 2}" width="${width}" height="3" rx="1.5"/>`,
    html`<text class="label" x="${x + width + 6}" y="${baseline}">${barLabel(bar)}</text>`,
  ];
  return html`<g>${parts}</g>
`;
}

/** How long a phase took, and its status where that is not the one hoped for: colour alone says nothing to some eyes. */
function barLabel({ phase }: Bar): string {
  const duration = durationText(phase.wall_time_sec);
  return phase.status === "succeeded" ? duration : `${duration}, ${phase.status}`;
}

function barTitle({ phase, isCritical }: Bar): string {
  const path = isCritical ? ", on the critical path" : "";
  return `${phase.phase}: ${phase.status}, ${durationText(phase.wall_time_sec)}${path}`;
}

function scaled(ms: number, { lengthMs }: Span): number {
  return Math.round((ms / lengthMs) * CHART_WIDTH * 10) / 10;
}
