import type { CompiledPhase } from "@fanfold/schemas";

/** Handlers that are remembered; the one noted longest ago gives way. */
const KEPT_HANDLERS = 1_000;
/** What an attempt takes besides its handler, in ms. */
const ATTEMPT_MS = 0.3;
/** Share that the latest time has in what is expected. */
const WEIGHT = 0.25;
/** A time counts at most as this many times what was expected, and 1 ms. */
const MOST_GROWTH = 4;

/**
 * How long the handlers of a worker took lately, by their paths. Only a guess: whoever relies on it must be ready to be
 * wrong. One long time among short ones does not count for much: the machine may have been busy.
 */
export class HandlerPaces {
  readonly #ms = new Map<string, number>();

  /** How long an attempt of a phase may take, in ms; undefined when its handler has not run here, or there is none. */
  expectedMs({ work }: CompiledPhase): number | undefined {
    const ms = work.kind === "handler" ? this.#ms.get(work.handler) : undefined;
    return ms === undefined ? undefined : ms + ATTEMPT_MS;
  }

  /** Takes note of an attempt that went well. @param durationMs from the call of the handler on, in ms */
  note({ work }: CompiledPhase, durationMs: number): void {
    if (work.kind !== "handler") return;
    const before = this.#ms.get(work.handler) ?? durationMs;
    this.#ms.delete(work.handler);
    this.#ms.set(work.handler, before + WEIGHT * (Math.min(durationMs, MOST_GROWTH * before + 1) - before));
    if (this.#ms.size <= KEPT_HANDLERS) return;
    const [oldest] = this.#ms.keys();
    if (oldest !== undefined) this.#ms.delete(oldest);
  }
}
