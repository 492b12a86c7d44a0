/** Longest piece of a source line that a frame shows, in characters. */
const MAX_FRAME_WIDTH = 120;
/** Characters kept before the marked column when a line has to be cut. */
const FRAME_LEAD = 60;

/** Line and column, both from 1; columns count UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** The text of a plan, asked by offset where that is and what it looks like there. */
export class SourceText {
  readonly text: string;
  readonly #lineStarts: number[];

  /** @param text the whole text, without a byte order mark */
  constructor(text: string) {
    this.text = text;
    this.#lineStarts = [0];
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) this.#lineStarts.push(end + 1);
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

  /** The line of a position between its neighbours, marked by `>` and `^`. Long lines are cut around the column. */
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
    const shown = this.text.slice(from, to).replace(/\r?\n$/, "");
    const isCut = to < end && shown.length === MAX_FRAME_WIDTH;
    return printable(`${cut > 0 && shown !== "" ? "…" : ""}${shown}${isCut ? "…" : ""}`);
  }
}

/** Control characters would move a terminal's cursor or change its colours: each is shown as one mark. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g, "\uFFFD");
}
