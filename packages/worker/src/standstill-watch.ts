/**
 * Notices that this process stood still (a suspended machine, SIGSTOP, a blocked event loop) for longer than the
 * locks of its jobs live. Whatever it was about to do then has been taken over by others, and a process that wakes
 * up knows this before Redis can tell.
 */
export class StandstillWatch {
  readonly #limitMs: number;
  readonly #onStandstill: (standstillMs: number) => void;
  #seenMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs longest time between two looks that is no standstill */
  constructor(limitMs: number, onStandstill: (standstillMs: number) => void) {
    this.#limitMs = limitMs;
    this.#onStandstill = onStandstill;
  }

  /** Looks every so often, in ms, until it is stopped. */
  start(everyMs: number): void {
    this.#seenMs = performance.now();
    this.#timer = setInterval(() => this.look(), everyMs);
    this.#timer.unref();
  }

  /** Looks now: called right before something begins that others may have begun since. */
  look(): void {
    const nowMs = performance.now();
    const goneMs = nowMs - this.#seenMs;
    this.#seenMs = nowMs;
    if (goneMs > this.#limitMs) this.#onStandstill(goneMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
