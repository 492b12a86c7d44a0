import type { CSSProperties, ReactNode } from "react";
import type { LogLine } from "./log-buffer.ts";
import { type AnsiStyle, parseAnsi } from "./parse-ansi.ts";

/** A line's text with its colours; what is searched for is marked. All of it is text: nothing in a log becomes markup. */
export function LogText({ line, search }: { readonly line: LogLine; readonly search: string }): ReactNode {
  const { spans } = parseAnsi(line.text, line.start);
  return spans.map(({ text, style }, index) => (
    <span key={index} className={classOf(style)} style={colorsOf(style)}>
      {search === "" ? text : markAll(text, search)}
    </span>
  ));
}

function markAll(text: string, search: string): ReactNode {
  const parts: ReactNode[] = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(search); at !== -1; at = lower.indexOf(search, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + search.length)}</mark>);
    from = at + search.length;
  }
  return [...parts, text.slice(from)];
}

function classOf(style: AnsiStyle): string {
  const names = [
    typeof style.fg === "number" && style.fg < 16 ? `ansi-fg-${style.fg}` : "",
    typeof style.bg === "number" && style.bg < 16 ? `ansi-bg-${style.bg}` : "",
    style.isBold === true ? "ansi-bold" : "",
    style.isDim === true ? "ansi-dim" : "",
    style.isItalic === true ? "ansi-italic" : "",
    style.isUnderlined === true ? "ansi-underline" : "",
  ];
  return names.filter(Boolean).join(" ");
}

function colorsOf({ fg, bg }: AnsiStyle): CSSProperties {
  return {
    ...(fg === undefined || isNamed(fg) ? {} : { color: cssColor(fg) }),
    ...(bg === undefined || isNamed(bg) ? {} : { backgroundColor: cssColor(bg) }),
  };
}

function isNamed(color: number | string): boolean {
  return typeof color === "number" && color < 16;
}

const CUBE = [0, 95, 135, 175, 215, 255];

/** A colour above the first sixteen: the cube of 6×6×6, then 24 greys. */
function cssColor(color: number | string): string {
  if (typeof color === "string") return color;
  if (color >= 232) {
    const grey = 8 + (color - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const at = color - 16;
  const [red, green, blue] = [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((level) => CUBE[level] ?? 0);
  return `rgb(${red} ${green} ${blue})`;
}
