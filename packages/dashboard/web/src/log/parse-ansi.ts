/** How a piece of text looks. Colours: 0…255 of the terminal's palette, or `#rrggbb`. */
export interface AnsiStyle {
  readonly fg?: number | string;
  readonly bg?: number | string;
  readonly isBold?: boolean;
  readonly isDim?: boolean;
  readonly isItalic?: boolean;
  readonly isUnderlined?: boolean;
}

/** Text of one style. */
export interface AnsiSpan {
  readonly text: string;
  readonly style: AnsiStyle;
}

/** The style of plain text. */
export const PLAIN: AnsiStyle = {};

// CSI sequences (the last letter says which), OSC sequences up to BEL or ST, and two-letter escapes.
// oxlint-disable-next-line no-control-regex
const ESCAPE = /\u001B(?:\[([\d;:?]*)[ -/]*([@-~])|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\^_])/g;
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000B-\u001F\u007F]/g;

/** One line as spans, and the style that the next line starts with. Sequences other than colours are left out. */
export function parseAnsi(line: string, start: AnsiStyle = PLAIN): { spans: readonly AnsiSpan[]; end: AnsiStyle } {
  const spans: AnsiSpan[] = [];
  let style = start;
  let from = 0;
  const push = (text: string): void => {
    const seen = text.replaceAll(UNSEEN, "");
    if (seen !== "") spans.push({ text: seen, style });
  };
  for (const match of line.matchAll(ESCAPE)) {
    push(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = applySgr(style, match[1] ?? "");
  }
  push(line.slice(from));
  return { spans, end: style };
}

/** A line without its escape sequences. */
export function plainText(line: string): string {
  return line.replaceAll(ESCAPE, "").replaceAll(UNSEEN, "");
}

function applySgr(style: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = style;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const { color, used } = extendedColor(codes.slice(at + 1));
      at += used;
      if (color !== undefined) next = { ...next, [code === 38 ? "fg" : "bg"]: color };
    } else next = applyCode(next, code);
  }
  return next;
}

const FLAGS: Readonly<Record<number, AnsiStyle>> = {
  1: { isBold: true },
  2: { isDim: true },
  3: { isItalic: true },
  4: { isUnderlined: true },
};

function applyCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0) return PLAIN;
  const flag = FLAGS[code];
  if (flag !== undefined) return { ...style, ...flag };
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 };
  return takeAway(style, code);
}

function takeAway({ fg, bg, isBold, isDim, isItalic, isUnderlined }: AnsiStyle, code: number): AnsiStyle {
  return {
    ...(fg === undefined || code === 39 ? {} : { fg }),
    ...(bg === undefined || code === 49 ? {} : { bg }),
    ...(isBold === true && code !== 22 ? { isBold } : {}),
    ...(isDim === true && code !== 22 ? { isDim } : {}),
    ...(isItalic === true && code !== 23 ? { isItalic } : {}),
    ...(isUnderlined === true && code !== 24 ? { isUnderlined } : {}),
  };
}

/** `5;n` or `2;r;g;b` after 38 or 48. */
function extendedColor([kind, ...values]: readonly number[]): { color: number | string | undefined; used: number } {
  if (kind === 5) return { color: inByte(values[0]), used: 2 };
  if (kind !== 2) return { color: undefined, used: 1 };
  const parts = values.slice(0, 3).map(inByte);
  const hex = parts.map((value) => (value ?? 0).toString(16).padStart(2, "0")).join("");
  return { color: parts.length === 3 && !parts.includes(undefined) ? `#${hex}` : undefined, used: 4 };
}

function inByte(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= 255 ? value : undefined;
}
