import type { EventLevel, PhaseStatus, RunStatus } from "@fanfold/schemas";
import picocolors from "picocolors";
import { cutToWidth, displayWidth, plainText } from "./plain-text.ts";

/** How a text is to be printed; the caller knows the terminal, `NO_COLOR` and `--no-color`. */
export interface TextStyle {
  /** Whether to use colour (default no). */
  readonly color?: boolean | undefined;
  /** Width to cut lines to; without it they are as long as they are. */
  readonly columns?: number | undefined;
  /** Current time, Unix ms, for what is under way; without it the time of the last event counts. */
  readonly nowMs?: number | undefined;
}

/** Colours a text, or returns it as it is. */
export type Paint = (text: string) => string;

/** The colours of the command; with colour off each of them leaves its text alone. */
export interface Palette {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly status: (status: PhaseStatus | RunStatus) => Paint;
  readonly level: (level: EventLevel) => Paint;
}

/** A piece of a line and its colour. */
export interface Segment {
  readonly text: string;
  readonly paint?: Paint | undefined;
}

/** Makes the palette; colour is never the only carrier of a meaning. */
export function createPalette(color: boolean): Palette {
  const { bold, dim, red, green, yellow, cyan } = picocolors.createColors(color);
  const statuses: Readonly<Record<PhaseStatus | RunStatus, Paint>> = {
    pending: dim,
    blocked: red,
    queued: dim,
    running: cyan,
    succeeded: green,
    failed: red,
    skipped: yellow,
    cancelled: yellow,
  };
  const levels: Readonly<Record<EventLevel, Paint>> = { debug: dim, info: same, warn: yellow, error: red };
  return { strong: bold, faint: dim, status: (status) => statuses[status], level: (level) => levels[level] };
}

/**
 * One line of these pieces, made harmless, cut to the width, and only then coloured: a cut never falls
 * into an escape sequence. Spaces at the end are dropped.
 */
export function renderLine(segments: readonly Segment[], columns = Number.POSITIVE_INFINITY): string {
  const pieces = segments.map(({ text, paint }) => ({ text: plainText(text), paint: paint ?? same }));
  while (pieces.at(-1)?.text.trimEnd() === "") pieces.pop();
  let left = columns;
  let line = "";
  for (const [index, { text, paint }] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    const piece = isLast ? text.trimEnd() : text;
    const width = displayWidth(piece);
    // The space stands for the pieces that follow, so that what they lose shows as an ellipsis.
    if (width > left || (width === left && !isLast)) return line + paint(cutToWidth(`${piece} `, left));
    line += paint(piece);
    left -= width;
  }
  return line;
}

function same(text: string): string {
  return text;
}
