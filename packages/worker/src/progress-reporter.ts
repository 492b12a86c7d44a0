import type { ReportedMetric } from "@fanfold/core";
import { systemClock } from "@fanfold/engine";
import type { ShardMetric, ShardRef, Store } from "@fanfold/store";

/** How often a shard's metrics are stored while it runs, and a phase's sums told in the journal, in ms. */
const REPORT_EVERY_MS = 1_000;

/** Stores the metrics an attempt reports, the latest ones, never more often than is useful. */
export class ProgressReporter {
  readonly #store: Store;
  readonly #runId: string;
  readonly #ref: ShardRef;
  #latest: readonly ReportedMetric[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(store: Store, { runId, ref }: { readonly runId: string; readonly ref: ShardRef }) {
    this.#store = store;
    this.#runId = runId;
    this.#ref = ref;
  }

  /** Takes the metrics as they are now. */
  update(metrics: readonly ReportedMetric[]): void {
    this.#latest = metrics;
    if (metrics.length > 0) this.#timer ??= setTimeout(() => this.#send(), REPORT_EVERY_MS);
  }

  /** Stores what was reported last. Failures are swallowed: progress is a convenience. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#send();
    await this.#sending;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const metrics = Object.fromEntries(this.#latest.map((metric) => [metric.metric_key, stored(metric)]));
    const when = { nowMs: systemClock.nowMs(), everyMs: REPORT_EVERY_MS };
    this.#sending = this.#sending
      .then(() => this.#store.ledger.reportProgress(this.#runId, this.#ref, metrics, when))
      .catch(() => undefined);
  }
}

function stored({ unit, completed, total }: ReportedMetric): ShardMetric {
  return total === null ? { unit, completed } : { unit, completed, total };
}
