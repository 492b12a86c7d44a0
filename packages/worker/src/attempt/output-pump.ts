import type { OutputSource } from "./command-process.ts";
import { settlesWithin } from "./settles-within.ts";

/** Rounds of quiet the pump waits for at most when nobody ends the stream. */
const MAX_FINISH_ROUNDS = 10;

/** Where a stream is stored. */
export interface OutputSink {
  /** Stores a piece; the next one comes when it is stored. */
  store(chunk: Uint8Array): Promise<unknown>;
  /** Stores what is left when the stream has ended. */
  end(): Promise<unknown>;
}

/**
 * Moves one output stream of a process to where it is stored, piece by piece as it comes: the next piece is read
 * when the one before is stored, so memory stays bounded however much the process writes.
 */
export class OutputPump {
  /** Settles when the stream has ended and everything is stored; rejects when storing failed. */
  readonly ended: Promise<void>;
  readonly #stream: OutputSource;
  #pieces = 0;
  #isStoring = false;
  #isCut = false;

  constructor(stream: OutputSource, sink: OutputSink) {
    this.#stream = stream;
    this.ended = this.#run(sink);
  }

  /**
   * Waits for the end of the stream of a process that is gone. Another process may hold it open: when nothing has
   * come for `quietMs`, or it does not get quiet, the stream is closed.
   *
   * @returns whether the stream ended by itself
   * @throws what storing failed with
   */
  async finish(quietMs: number): Promise<boolean> {
    for (let round = 0; round < MAX_FINISH_ROUNDS; round += 1) {
      const pieces = this.#pieces;
      if (await settlesWithin(this.ended, quietMs)) {
        await this.ended;
        return true;
      }
      if (pieces === this.#pieces && !this.#isStoring) break;
    }
    this.#isCut = true;
    this.#stream.destroy();
    await this.ended;
    return false;
  }

  async #run(sink: OutputSink): Promise<void> {
    try {
      for await (const chunk of this.#stream) {
        this.#pieces += 1;
        this.#isStoring = true;
        await sink.store(chunk);
        this.#isStoring = false;
      }
    } catch (error) {
      if (!this.#isCut) throw error;
    }
    await sink.end();
  }
}
