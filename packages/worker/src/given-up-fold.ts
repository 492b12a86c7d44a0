import type { AbortReason } from "./active-attempts.ts";

/** A fold that was ended from outside, and starts anew: it says nothing about the outputs. */
export class FoldGivenUp extends Error {
  override readonly name = "FoldGivenUp";
  readonly reason: Exclude<AbortReason, "run_stopped">;

  constructor(reason: Exclude<AbortReason, "run_stopped">) {
    super(`fold given up: ${reason}`);
    this.reason = reason;
  }
}

/** @throws {FoldGivenUp} when the signal has ended the fold, and not because its run was stopped */
export function throwIfGivenUp(signal: AbortSignal): void {
  if (signal.reason === "lock_lost" || signal.reason === "worker_stopping") throw new FoldGivenUp(signal.reason);
}

/**
 * What the work gives, unless the fold is given up first. Work that is left alone goes on without effect: content
 * in the artifact store that nothing names.
 *
 * @throws {FoldGivenUp} when the signal ends the fold, and not because its run was stopped
 */
export async function unlessGivenUp<T>(work: Promise<T>, { signal }: { signal: AbortSignal }): Promise<T> {
  work.catch(() => undefined);
  const listening = new AbortController();
  const aborted = new Promise<"aborted">((resolve) => {
    if (signal.aborted) resolve("aborted");
    signal.addEventListener("abort", () => resolve("aborted"), { signal: listening.signal });
  });
  await Promise.race([work, aborted]).finally(() => listening.abort());
  throwIfGivenUp(signal);
  return await work;
}
