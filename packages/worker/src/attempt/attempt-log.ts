import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { AttemptMasks } from "./attempt-masks.ts";
import type { AttemptHooks, OutputStream } from "./attempt-spec.ts";

const NEWLINE = 10;

/**
 * The log of one attempt: everything that is appended goes to the hook at once, and to a file in order. Lines are
 * masked here, output by its {@link OutputMask} before it is appended.
 *
 * 1. The file is made by the first append.
 * 2. A failed write surfaces in every later `append` and in `close`.
 * 3. After `close()` appends are ignored, so that what runs on after its attempt has no effect.
 */
export class AttemptLog {
  readonly #file: string;
  readonly #hooks: AttemptHooks;
  readonly #masks: AttemptMasks;
  #handle: FileHandle | undefined;
  #queue: Promise<void> = Promise.resolve();
  #endsLine = true;
  #isClosed = false;

  constructor(file: string, hooks: AttemptHooks, masks: AttemptMasks) {
    this.#file = file;
    this.#hooks = hooks;
    this.#masks = masks;
  }

  /** Appends masked bytes of user code. Resolves when they are written; awaiting it is what bounds memory. */
  append(chunk: Uint8Array, stream: OutputStream): Promise<void> {
    if (this.#isClosed || chunk.length === 0) return Promise.resolve();
    this.#endsLine = chunk[chunk.length - 1] === NEWLINE;
    this.#hooks.onOutput?.(chunk, stream);
    const written = this.#queue.then(() => this.#write(chunk));
    // A caller may let go of the promise: the failure comes back with the next append and with close().
    written.catch(() => undefined);
    this.#queue = written;
    return written;
  }

  /** Appends a line of text, on a line of its own. */
  line(text: string, stream: OutputStream = "stderr"): void {
    void this.append(Buffer.from(`${this.#endsLine ? "" : "\n"}${this.#masks.text(text)}\n`), stream);
  }

  /** Appends a remark of the worker. */
  note(text: string): void {
    this.line(`fanfold: ${text}`);
  }

  /** Writes what is left and closes the file; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#queue;
    } finally {
      const handle = this.#handle;
      this.#handle = undefined;
      await handle?.close();
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#handle === undefined) {
      await mkdir(dirname(this.#file), { recursive: true });
      this.#handle = await open(this.#file, "a");
    }
    await this.#handle.appendFile(chunk);
  }
}
