import type { AttemptMasks } from "./attempt-masks.ts";
import type { AttemptHooks, AttemptOutput, OutputStream } from "./attempt-spec.ts";
import { KeptOutput } from "./kept-output.ts";

const NEWLINE = 10;

/**
 * The log of one attempt: everything that is appended goes to the hook at once, and is kept in order. Lines are
 * masked here, output by its {@link OutputMask} before it is appended.
 *
 * 1. It is in memory while it is small; what is more goes to the file, which is made then.
 * 2. A failed write surfaces in every later `append` and in `close`.
 * 3. After `close()` appends are ignored, so that what runs on after its attempt has no effect.
 */
export class AttemptLog {
  readonly #kept: KeptOutput;
  readonly #hooks: AttemptHooks;
  readonly #masks: AttemptMasks;
  #queue: Promise<void> = Promise.resolve();
  #endsLine = true;
  #isClosed = false;

  constructor(file: string, hooks: AttemptHooks, masks: AttemptMasks) {
    this.#kept = new KeptOutput(file);
    this.#hooks = hooks;
    this.#masks = masks;
  }

  /** Appends masked bytes of user code. Resolves when they are written; awaiting it is what bounds memory. */
  append(chunk: Uint8Array, stream: OutputStream): Promise<void> {
    if (this.#isClosed || chunk.length === 0) return Promise.resolve();
    this.#endsLine = chunk[chunk.length - 1] === NEWLINE;
    this.#hooks.onOutput?.(chunk, stream);
    const written = this.#queue.then(() => this.#kept.keep(chunk));
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

  /** All of it, once it is closed; undefined when there is nothing. */
  get content(): AttemptOutput | undefined {
    return this.#kept.sizeBytes === 0 ? undefined : this.#kept.output();
  }

  /** Writes what is left and closes the file; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#queue;
    } finally {
      await this.#kept.close();
    }
  }
}
