import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { errorCode } from "./attempt-error.ts";

/** Longest line that is read, in bytes. */
export const MAX_EVENT_LINE_BYTES = 1024 * 1024;

const POLL_MS = 200;
const READ_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Hears each line with its number, counted from 1; `undefined` stands for a line that is too long. */
export type LineListener = (line: string | undefined, lineNumber: number) => void;

/**
 * Follows a file that another process appends lines to, in bounded memory. A file that got shorter was
 * written anew and is read from its start.
 */
export class EventFile {
  readonly #file: string;
  readonly #onLine: LineListener;
  #buffer: Buffer | undefined;
  #offset = 0;
  #lineNumber = 0;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(file: string, onLine: LineListener) {
    this.#file = file;
    this.#onLine = onLine;
  }

  /** Reads as lines come, until the signal; then reads to the end, the last line with or without its newline. */
  async follow({ signal }: { signal: AbortSignal }): Promise<void> {
    while (!signal.aborted) {
      await pause(POLL_MS, signal);
      if (!signal.aborted) await this.#readNew();
    }
    await this.#readNew();
    if (this.#restBytes > 0) this.#endLine();
  }

  async #readNew(): Promise<void> {
    // asked at once: it is a file of the worker's own, and mostly there is nothing new in it
    if (statSync(this.#file, { throwIfNoEntry: false })?.size === this.#offset) return;
    const handle = await open(this.#file, "r").catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (handle === undefined) return;
    const buffer = (this.#buffer ??= Buffer.alloc(READ_BYTES));
    try {
      const { size } = await handle.stat();
      if (size < this.#offset) this.#startOver();
      while (this.#offset < size) {
        const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        this.#split(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
  }

  #startOver(): void {
    this.#offset = 0;
    this.#rest = [];
    this.#restBytes = 0;
  }

  #split(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#keep(bytes.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
  }

  #keep(piece: Buffer): void {
    this.#restBytes += piece.length;
    if (this.#restBytes <= MAX_EVENT_LINE_BYTES) this.#rest.push(Buffer.from(piece));
  }

  #endLine(): void {
    this.#lineNumber += 1;
    const isTooLong = this.#restBytes > MAX_EVENT_LINE_BYTES;
    const line = isTooLong ? undefined : Buffer.concat(this.#rest).toString("utf8").trim();
    this.#rest = [];
    this.#restBytes = 0;
    if (line !== "") this.#onLine(line, this.#lineNumber);
  }
}

/** Waits, at most until the signal. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener("abort", end);
  });
}
