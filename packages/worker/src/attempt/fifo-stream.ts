import { closeSync, constants, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import type { OutputSource } from "./command-process.ts";
import { errorCode } from "./attempt-error.ts";

const READ_BYTES = 64 * 1024;
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Opens a FIFO for reading, without waiting for somebody to write. @returns file descriptor */
export function openFifo(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** A FIFO with a reader, so that whoever opens it to write need not wait. */
export interface OpenFifo {
  readonly path: string;
  readonly fd: number;
}

/**
 * What is written into a FIFO from when this is made, which somebody then has open to write, until nobody has any more.
 *
 * It is not watched before `isWorthALook` resolves: a process that is soon over costs two reads then, and no watch.
 */
export class FifoStream implements OutputSource {
  /** Resolves with the first piece, or with undefined when there is none. */
  readonly first: Promise<Uint8Array | undefined>;
  /** Resolves when it will read no more: with true when nobody can have it open to write. */
  readonly settled: Promise<boolean>;
  readonly #fifo: OpenFifo;
  readonly #isWorthALook: Promise<unknown>;
  readonly #mark: string;
  #tellFirst: (piece: Uint8Array | undefined) => void = () => undefined;
  #tellSettled: (isOver: boolean) => void = () => undefined;
  #socket: Socket | undefined;
  #isDestroyed = false;

  /** @param mark a stream that begins with this is swallowed whole; empty for none */
  constructor(fifo: OpenFifo, { isWorthALook, mark }: { isWorthALook: Promise<unknown>; mark: string }) {
    this.#fifo = fifo;
    this.#isWorthALook = isWorthALook;
    this.#mark = mark;
    this.first = new Promise((tell) => {
      this.#tellFirst = tell;
    });
    this.settled = new Promise((tell) => {
      this.#tellSettled = tell;
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let isSwallowed: boolean | undefined;
    try {
      for await (const piece of this.#pieces()) {
        isSwallowed ??= this.#mark !== "" && beginsWith(piece, this.#mark);
        this.#tellFirst(piece);
        if (!isSwallowed) yield piece;
      }
    } finally {
      // told already when it has ended by itself
      this.destroy();
    }
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#socket?.destroy();
    this.#tellFirst(undefined);
    this.#tellSettled(false);
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    await this.#isWorthALook;
    if (yield* this.#untilNothing()) return;
    // opened before the last look: a reader that comes when the last writer is gone would never hear of the end
    const fd = openFifo(this.#fifo.path);
    if ((yield* this.#untilNothing()) || this.#isDestroyed) return closeSync(fd);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    for await (const piece of this.#socket) yield toBytes(piece);
    this.#tellSettled(true);
  }

  /** Reads what is there. @returns whether that was the last of it */
  async *#untilNothing(): AsyncGenerator<Uint8Array, boolean> {
    for (let piece = this.#readNow(); piece !== undefined; piece = this.#readNow()) {
      if (piece.byteLength > 0) yield piece;
      else this.#tellSettled(true);
      if (piece.byteLength === 0) return true;
    }
    return false;
  }

  /** What is there to be read: nothing of a FIFO that has ended, undefined when something may still come. */
  #readNow(): Uint8Array | undefined {
    if (this.#isDestroyed) return undefined;
    try {
      const bytes = readSync(this.#fifo.fd, buffer);
      return Uint8Array.prototype.slice.call(buffer, 0, bytes);
    } catch (error) {
      if (errorCode(error) === "EAGAIN") return undefined;
      throw error;
    }
  }
}

/** Whether a piece begins with a text of ASCII. */
export function beginsWith(piece: Uint8Array, mark: string): boolean {
  return (
    Buffer.from(piece.buffer, piece.byteOffset, Math.min(piece.byteLength, mark.length)).toString("latin1") === mark
  );
}

function toBytes(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError("a socket without an encoding gives bytes");
}
