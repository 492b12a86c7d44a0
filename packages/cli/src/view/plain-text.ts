import { stripVTControlCharacters } from "node:util";

/** Longest text looked at: no terminal line needs more. */
const MAX_TEXT_CHARS = 10_000;

/** What would break a line, or jump within it. */
const LINE_BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** Control characters, and the invisible ones that turn the direction of what follows. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

const PRINTABLE_ASCII = /^[ -~]*$/;

/** East Asian wide characters and emoji: they take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f1e6}-\u{1f1ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Text from outside as one harmless line: without escape sequences, control characters and invisible
 * characters that change the direction of text; line breaks and tabs become a space.
 */
export function plainText(text: string): string {
  const bounded = text.slice(0, MAX_TEXT_CHARS);
  if (PRINTABLE_ASCII.test(bounded)) return bounded;
  return stripVTControlCharacters(bounded).replaceAll(LINE_BREAKS, " ").replaceAll(UNPRINTABLE, "");
}

/** A line of a program's log as a terminal would show it in the end: what a carriage return overwrote is gone. */
export function plainLogLine(line: string): string {
  const drawn = line.split("\r").filter((part) => part.trim() !== "");
  return plainText(drawn.at(-1) ?? "").trimEnd();
}

/** Columns a plain text takes in a terminal. */
export function displayWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** Plain text cut to a number of columns; an ellipsis takes the place of what was cut. */
export function cutToWidth(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (displayWidth(text) <= columns) return text;
  return `${prefixOf(text, columns - 1)}…`;
}

/** Plain text cut, or filled up with spaces, to exactly a number of columns. */
export function fitToWidth(text: string, columns: number): string {
  const cut = cutToWidth(text, columns);
  return cut + " ".repeat(Math.max(0, columns - displayWidth(cut)));
}

/**
 * Plain text over several lines, broken between words where it can; what does not fit in `maxLines` is cut.
 *
 * @param columns at least 2, so that any character fits
 */
export function wrapText(text: string, columns: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (lines.length < maxLines - 1 && displayWidth(rest) > columns) {
    const head = prefixOf(rest, columns);
    const space = rest.slice(0, head.length + 1).lastIndexOf(" ");
    const line = space > 0 ? rest.slice(0, space) : head;
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return [...lines, cutToWidth(rest, columns)];
}

/** The longest start of a text that takes at most this many columns. */
function prefixOf(text: string, columns: number): string {
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    kept += segment;
  }
  return kept;
}

function graphemeWidth(segment: string): number {
  return WIDE.test(segment) ? 2 : 1;
}
