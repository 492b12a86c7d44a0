/** Why an attempt is ended from outside. */
export type AbortReason = "run_stopped" | "lock_lost" | "worker_stopping";

interface Entry {
  readonly runId: string;
  /** Id of the job that does the work: of its own, or one that carries it. */
  readonly carrier: string;
  readonly controller: AbortController;
}

/** The work a worker is doing now, attempts and folds, so that a stop finds it. */
export class ActiveAttempts {
  readonly #entries = new Map<string, Entry>();
  #abortedAll: AbortReason | undefined;
  #isClosing = false;

  /** Whether nothing new is to be begun. */
  get isClosing(): boolean {
    return this.#isClosing || this.#abortedAll !== undefined;
  }

  /** Lets what runs end, and has nothing new begun. */
  close(): void {
    this.#isClosing = true;
  }

  /**
   * Registers work under its job's id.
   *
   * @param carrier id of the job that carries it, where that is another one
   * @returns the signal that ends it; aborted when all work was ended before
   */
  begin(jobId: string, runId: string, carrier = jobId): AbortSignal {
    const controller = new AbortController();
    this.#entries.set(jobId, { runId, carrier, controller });
    if (this.#abortedAll !== undefined) controller.abort(this.#abortedAll);
    return controller.signal;
  }

  end(jobId: string): void {
    this.#entries.delete(jobId);
  }

  abortJob(jobId: string, reason: AbortReason): void {
    for (const entry of this.#entries.values()) if (entry.carrier === jobId) entry.controller.abort(reason);
  }

  abortRun(runId: string, reason: AbortReason): void {
    for (const entry of this.#entries.values()) if (entry.runId === runId) entry.controller.abort(reason);
  }

  /** Ends what belongs to one of these phase revisions or shards of a run. */
  abortParts(runId: string, parts: readonly string[], reason: AbortReason): void {
    for (const [jobId, { controller }] of this.#entries) {
      if (parts.some((part) => `${jobId}.`.startsWith(`${runId}.${part}.`))) controller.abort(reason);
    }
  }

  /** Ends what is being done now. */
  abortCurrent(reason: AbortReason): void {
    for (const entry of this.#entries.values()) entry.controller.abort(reason);
  }

  /** Ends everything, also what begins from now on. */
  abortAll(reason: AbortReason): void {
    this.#abortedAll = reason;
    this.abortCurrent(reason);
  }

  /** Ids of the runs with an attempt here. */
  runIds(): Set<string> {
    return new Set([...this.#entries.values()].map(({ runId }) => runId));
  }
}
