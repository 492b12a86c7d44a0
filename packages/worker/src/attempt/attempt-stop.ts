import { AttemptError, describeError } from "./attempt-error.ts";

/** Why an attempt was stopped from outside. */
export type StopStatus = "timed_out" | "cancelled";

/** Longest delay one Node.js timer can hold, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The one source of "stop now" of an attempt: its deadline, or the caller's signal, whichever comes first.
 *
 * 1. `status` changes once, from null.
 * 2. `signal` is aborted and `stopped` resolves when it does.
 * 3. After `dispose()` nothing changes any more and no timer or listener is left.
 */
export class AttemptStop {
  /** Resolves when the attempt has to stop; stays pending otherwise. */
  readonly stopped: Promise<void>;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #timeoutMs: number;
  readonly #onCancel = (): void => this.#stop("cancelled");
  #announce: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #status: StopStatus | null = null;

  constructor(timeoutMs: number, caller: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    this.stopped = new Promise((resolve) => {
      this.#announce = resolve;
    });
    if (caller.aborted) {
      this.#stop("cancelled");
      return;
    }
    caller.addEventListener("abort", this.#onCancel, { once: true });
    this.#arm(timeoutMs);
  }

  /** What stopped the attempt; null while nothing has. */
  get status(): StopStatus | null {
    return this.#status;
  }

  /** Aborted when the attempt has to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the watch; safe to call twice. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#caller.removeEventListener("abort", this.#onCancel);
  }

  /**
   * The failure of the stopped attempt.
   *
   * @param ending how the work came to its end, appended to the reason, such as "killed with SIGTERM"
   * @param survivors ids of processes that could not be ended
   */
  error(ending = "", survivors: readonly number[] = []): AttemptError {
    const left = survivors.length === 0 ? {} : { survivors: [...survivors] };
    const tail = ending === "" ? "" : `; ${ending}`;
    if (this.#status === "timed_out") {
      return new AttemptError("TIMED_OUT", `took longer than its timeout of ${this.#timeoutMs / 1000} s${tail}`, {
        ...left,
        next_action: "raise timeout_sec of the phase, or cut it into smaller shards",
      });
    }
    const reason: unknown = this.#caller.reason;
    const isPlain = reason === undefined || (reason instanceof Error && reason.name === "AbortError");
    return new AttemptError("CANCELLED", `cancelled${isPlain ? "" : ` (${describeError(reason)})`}${tail}`, left);
  }

  #arm(remainingMs: number): void {
    const rest = remainingMs - MAX_TIMER_MS;
    this.#timer = setTimeout(
      () => (rest > 0 ? this.#arm(rest) : this.#stop("timed_out")),
      Math.min(remainingMs, MAX_TIMER_MS),
    );
  }

  #stop(status: StopStatus): void {
    this.#status = status;
    this.dispose();
    this.#controller.abort(this.error());
    this.#announce();
  }
}
