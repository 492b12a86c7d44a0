const LINE_FEED = 0x0a;
const BATCH_BYTES = 64 * 1024;

/** Packs lines into chunks of a size worth writing; a line that is larger than that is a chunk of its own. */
export class LineBatch {
  #bytes = new Uint8Array(BATCH_BYTES);
  #size = 0;

  /** Adds a line and its newline, after copying it; gives the chunks that are full. */
  *add(line: Uint8Array): Generator<Uint8Array, void, undefined> {
    const size = line.length + 1;
    if (this.#size + size > BATCH_BYTES) yield* this.flush();
    if (size > BATCH_BYTES) {
      const chunk = new Uint8Array(size);
      chunk.set(line);
      chunk[line.length] = LINE_FEED;
      yield chunk;
      return;
    }
    this.#bytes.set(line, this.#size);
    this.#bytes[this.#size + line.length] = LINE_FEED;
    this.#size += size;
  }

  /** Gives what is left. */
  *flush(): Generator<Uint8Array, void, undefined> {
    if (this.#size === 0) return;
    yield this.#bytes.subarray(0, this.#size);
    this.#bytes = new Uint8Array(BATCH_BYTES);
    this.#size = 0;
  }
}
