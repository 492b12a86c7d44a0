import { Writable } from "node:stream";

// oxlint-disable-next-line no-control-regex -- escape sequences are what a terminal reads
const TOKEN = /\u001b\[(\?)?(\d*)([A-Za-z])|\n|\r|[^\u001b\n\r]+/gu;

/** A terminal as far as progress needs one: a stream that shows what is written to it, cursor moves included. */
export class TestScreen extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  #lines: string[] = [""];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  /** All lines ever shown, those scrolled off included, without empty ones at the end. */
  get lines(): string[] {
    return this.text.split("\n");
  }

  get text(): string {
    return this.#lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd();
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    for (const [token, isPrivate, count, command] of chunk.matchAll(TOKEN)) {
      if (token === "\n") this.#moveTo(this.#row + 1, 0);
      else if (token === "\r") this.#column = 0;
      else if (command === undefined) this.#print(token);
      else if (isPrivate === undefined) this.#control(command, count === "" ? undefined : Number(count));
    }
    done();
  }

  #print(text: string): void {
    const line = this.#lines[this.#row] ?? "";
    this.#lines[this.#row] =
      line.slice(0, this.#column).padEnd(this.#column) + text + line.slice(this.#column + text.length);
    this.#column += text.length;
    if (this.#column > this.columns)
      throw new Error(`a line of ${this.#column} columns wraps: ${this.#lines[this.#row]}`);
  }

  #control(command: string, count: number | undefined): void {
    if (command === "A") this.#moveTo(this.#row - (count ?? 1), this.#column);
    else if (command === "B") this.#moveTo(Math.min(this.#row + (count ?? 1), this.#lines.length - 1), this.#column);
    else if (command === "G") this.#column = (count ?? 1) - 1;
    else if (command === "K" && count === 2) this.#lines[this.#row] = "";
    else if (command === "K") this.#lines[this.#row] = (this.#lines[this.#row] ?? "").slice(0, this.#column);
    else if (command !== "m") throw new Error(`the screen does not know ${command}`);
  }

  /** The cursor cannot leave the screen: lines that have scrolled off stay as they are. */
  #moveTo(row: number, column: number): void {
    while (this.#lines.length <= row) this.#lines.push("");
    this.#row = Math.max(row, this.#lines.length - this.rows, 0);
    this.#column = column;
  }
}
