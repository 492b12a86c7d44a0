/**
 * Passes news on: at once after a quiet time, and at most once in `holdMs` while they keep coming. The last of them is
 * always followed by a call.
 */
export class NewsGate {
  readonly #tell: () => void;
  readonly #holdMs: () => number;
  #isHeld = false;
  #isWaiting = false;

  /** @param holdMs how long to hold news back after a call, in ms; asked just before, while whoever waits still does */
  constructor(tell: () => void, holdMs: () => number) {
    this.#tell = tell;
    this.#holdMs = holdMs;
  }

  /** Something is new. What comes in the same turn of the event loop is told of together. */
  note(): void {
    if (this.#isHeld) {
      this.#isWaiting = true;
      return;
    }
    this.#isHeld = true;
    setImmediate(() => this.#pass());
  }

  #pass(): void {
    this.#isWaiting = false;
    const holdMs = this.#holdMs();
    this.#tell();
    setTimeout(() => {
      if (this.#isWaiting) return this.#pass();
      this.#isHeld = false;
    }, holdMs).unref();
  }
}
