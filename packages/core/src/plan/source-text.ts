import { maskCredentials, maskNamedCredentials } from "./credential.ts";

/** Longest piece of a source line that a frame shows, in characters. */
const MAX_FRAME_WIDTH = 120;
/** Characters kept before the marked column when a line has to be cut. */
const FRAME_LEAD = 60;
/** Characters around the shown piece that are looked at, to see whether it is part of a credential. */
const MASK_MARGIN = 300;

/** Line and column, both from 1; columns count UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** The text of a plan, asked by offset where that is and what it looks like there. */
export class SourceText {
  readonly text: string;
  readonly #lineStarts: number[];
  /** One byte a character, 1 for those that must not be shown; undefined while nothing is hidden. */
  #hidden: Uint8Array | undefined;

  /** @param text the whole text, without a byte order mark */
  constructor(text: string) {
    this.text = text;
    this.#lineStarts = [0];
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) this.#lineStarts.push(end + 1);
  }

  /** Makes frames show stars in the place of these characters. */
  hide(start: number, end: number): void {
    this.#hidden ??= new Uint8Array(this.text.length);
    this.#hidden.fill(1, start, end);
  }

  /** Position of a character; offsets outside of the text are moved to its nearest end. */
  position(offset: number): TextPosition {
    const inside = Math.min(Math.max(offset, 0), this.text.length);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= inside) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: inside - (this.#lineStarts[low] ?? 0) + 1 };
  }

  /**
   * The line of a position between its neighbours, marked by `>` and `^`. Long lines are cut around the column. What
   * is hidden, or looks like a credential, is shown as stars.
   */
  frame({ line, column }: TextPosition): string {
    const from = Math.max(1, line - 1);
    const to = Math.min(this.#lineStarts.length, line + 1);
    const width = String(to).length;
    const cut = column > FRAME_LEAD * 1.5 ? column - 1 - FRAME_LEAD : 0;
    const rows: string[] = [];
    for (let number = from; number <= to; number += 1) {
      const shown = this.#line(number, cut);
      if (number === to && number !== line && shown === "") continue;
      rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${shown}`.trimEnd());
      if (number !== line) continue;
      const lead = shown.slice(0, column - 1 - cut + (cut > 0 ? 1 : 0)).replace(/[^\t]/g, " ");
      rows.push(`  ${" ".repeat(width)} | ${lead}^`);
    }
    return rows.join("\n");
  }

  #line(number: number, cut: number): string {
    const start = this.#lineStarts[number - 1] ?? this.text.length;
    const end = this.#lineStarts[number] ?? this.text.length;
    const from = Math.min(start + cut, end);
    const to = Math.min(end, from + MAX_FRAME_WIDTH);
    const margin = Math.max(start, from - MASK_MARGIN);
    const masked = this.#masked(margin, Math.min(end, to + MASK_MARGIN));
    const shown = masked.slice(from - margin, to - margin).replace(/\r?\n$/, "");
    const isCut = to < end && shown.length === MAX_FRAME_WIDTH;
    return printable(`${cut > 0 && shown !== "" ? "…" : ""}${shown}${isCut ? "…" : ""}`);
  }

  /** As long as the text it stands for. */
  #masked(from: number, to: number): string {
    const text = maskNamedCredentials(maskCredentials(this.text.slice(from, to)));
    const hidden = this.#hidden?.subarray(from, to);
    if (hidden?.includes(1) !== true) return text;
    return text.replace(/[^\r\n]/g, (character, at: number) => (hidden[at] === 1 ? "*" : character));
  }
}

/** Control characters would move a terminal's cursor or change its colours: each is shown as one mark. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g, "\uFFFD");
}
