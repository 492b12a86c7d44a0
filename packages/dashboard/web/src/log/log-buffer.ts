import { type AnsiStyle, parseAnsi, PLAIN, plainText } from "./parse-ansi.ts";

/** A line of a log, and the style it starts with. */
export interface LogLine {
  readonly text: string;
  readonly start: AnsiStyle;
}

/**
 * The text of a log, cut into lines as it comes. A carriage return within a line stands for writing over it: what
 * was written last is kept. Lines that are complete never change.
 */
export class LogBuffer {
  readonly #lines: LogLine[] = [];
  #open = "";
  #style: AnsiStyle = PLAIN;

  /** Adds text, which may begin and end anywhere in a line. */
  append(text: string): void {
    const pieces = (this.#open + text).split("\n");
    this.#open = pieces.pop() ?? "";
    for (const piece of pieces) {
      const line = writtenLast(piece);
      this.#lines.push({ text: line, start: this.#style });
      if (line.includes("\u001B")) this.#style = parseAnsi(line, this.#style).end;
    }
  }

  /** Lines so far, the one that is still being written included. */
  get lineCount(): number {
    return this.#lines.length + (this.#open === "" ? 0 : 1);
  }

  /** A line by its index from 0; an empty one where there is none. */
  line(index: number): LogLine {
    return (
      this.#lines[index] ?? { text: index === this.#lines.length ? writtenLast(this.#open) : "", start: this.#style }
    );
  }

  /** Indexes of the lines that contain a text, whatever its case; at most `limit`. */
  find(text: string, limit = 10_000): readonly number[] {
    const wanted = text.toLowerCase();
    const found: number[] = [];
    if (wanted === "") return found;
    for (let index = 0; index < this.lineCount && found.length < limit; index += 1) {
      if (plainText(this.line(index).text).toLowerCase().includes(wanted)) found.push(index);
    }
    return found;
  }
}

function writtenLast(line: string): string {
  const trimmed = line.replace(/\r+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("\r") + 1);
}
