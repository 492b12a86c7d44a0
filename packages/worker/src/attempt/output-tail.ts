import { stripVTControlCharacters } from "node:util";

/** Most bytes a tail keeps. */
export const MAX_TAIL_BYTES = 4096;
/** Most lines a tail shows. */
const MAX_TAIL_LINES = 20;

/** The end of a stream, in bounded memory however much flows through. */
export class OutputTail {
  #bytes: Buffer = Buffer.alloc(0);
  #isCut = false;

  /** Takes the next piece of the stream; the bytes are copied. */
  add(chunk: Uint8Array): void {
    this.#isCut ||= this.#bytes.length + chunk.length > MAX_TAIL_BYTES;
    const end = chunk.subarray(-MAX_TAIL_BYTES);
    const kept = MAX_TAIL_BYTES - end.length;
    this.#bytes = Buffer.concat([kept === 0 ? Buffer.alloc(0) : this.#bytes.subarray(-kept), end]);
  }

  /** Last lines that are not blank, without terminal control sequences. The first may be the end of a longer one. */
  lines(): string[] {
    const text = stripVTControlCharacters(this.#bytes.toString("utf8")).replace(/^\uFFFD+/, "");
    const lines = text.split(/\r\n|\n|\r/);
    if (this.#isCut && lines.length > 1) lines.shift();
    const shown = lines.map((line) => line.trimEnd()).filter((line) => line !== "");
    return shown.slice(-MAX_TAIL_LINES);
  }
}
