import { JsonlError } from "./jsonl-error.ts";
import { excerpt } from "./show-value.ts";

/** Longest line a reader accepts unless told otherwise: 64 MiB. */
export const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
/** Bytes that show {@link excerpt} enough characters of any UTF-8 text. */
const EXCERPT_BYTES = 1024;

/** One line of a stream that is not blank. */
export interface JsonlLine {
  /** The line without its newline. A view: it may change once the next chunk is pushed. */
  bytes: Uint8Array;
  /** Offset of the first byte of the line in the whole stream. */
  start: number;
  /** Offset behind the line in the whole stream, its newline included if it has one. */
  end: number;
  /** Number of the line, from 1; blank lines count. */
  line: number;
}

/** Bounds of a reader of lines. */
export interface LineLimits {
  /** Longest line in bytes, its line feed excluded; a longer one is an error. Default {@link DEFAULT_MAX_LINE_BYTES}. */
  maxLineBytes?: number;
}

/**
 * Cuts a stream of bytes into lines, wherever its chunks begin and end.
 *
 * Lines end with LF or CRLF; the last may end without either. Blank lines (spaces, tabs) are left out, and so is a
 * byte order mark at the start of the stream. The memory of a chunk may be reused once the next one is pushed.
 *
 * 1. `#start` is the offset of the first byte of the unfinished line, and `#pending` holds copies of its bytes so far.
 * 2. `#pendingBytes` never exceeds the limit.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #start = 0;
  #line = 1;

  constructor({ maxLineBytes = DEFAULT_MAX_LINE_BYTES }: LineLimits = {}) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Lines that end in this chunk, in order. Must be read to its end before the next call.
   *
   * @throws {JsonlError} `TOO_LONG`, as soon as a line exceeds the limit
   */
  *push(chunk: Uint8Array): Generator<JsonlLine, void, undefined> {
    let from = 0;
    for (let newline = chunk.indexOf(LINE_FEED); newline !== -1; newline = chunk.indexOf(LINE_FEED, from)) {
      const line = this.#finishLine(chunk.subarray(from, newline), 1);
      from = newline + 1;
      if (line !== undefined) yield line;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** The last line, if the stream did not end with a newline. */
  *end(): Generator<JsonlLine, void, undefined> {
    const line = this.#finishLine(new Uint8Array(0), 0);
    if (line !== undefined) yield line;
  }

  #keep(bytes: Uint8Array): void {
    this.#checkLength(bytes);
    this.#pending.push(new Uint8Array(bytes));
    this.#pendingBytes += bytes.length;
  }

  #finishLine(rest: Uint8Array, newlineBytes: number): JsonlLine | undefined {
    this.#checkLength(rest);
    const raw = this.#pendingBytes === 0 ? rest : concatBytes([...this.#pending, rest]);
    const start = this.#start;
    const line = this.#line;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#start = start + raw.length + newlineBytes;
    this.#line = line + 1;
    const markBytes = start === 0 && hasByteOrderMark(raw) ? 3 : 0;
    const bytes = raw.subarray(markBytes, raw.at(-1) === CARRIAGE_RETURN ? raw.length - 1 : raw.length);
    return isBlank(bytes) ? undefined : { bytes, start: start + markBytes, end: this.#start, line };
  }

  #checkLength(more: Uint8Array): void {
    if (this.#pendingBytes + more.length <= this.#maxLineBytes) return;
    const start = concatBytes([...this.#pending, more]).subarray(0, EXCERPT_BYTES);
    throw new JsonlError(
      "TOO_LONG",
      this.#line,
      `line ${this.#line} is longer than ${this.#maxLineBytes} bytes: ${excerpt(new TextDecoder().decode(start))}`,
    );
  }
}

/** Joins pieces of bytes into one array. */
export function concatBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN);
}
