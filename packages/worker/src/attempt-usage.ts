import {
  addUsage,
  flatUsage,
  MAX_METRICS,
  type PhaseCost,
  type Prices,
  type ReportedMetric,
  SHARDS_METRIC,
  usageOfReport,
  type UsageSum,
} from "@fanfold/core";
import type { ProgressReport, ReportedEvent } from "./attempt/reported-event.ts";

/** Metric of a progress report that names none. */
const DEFAULT_METRIC = "work";

/** Longest name of a metric or unit that is taken. */
const MAX_NAME_CHARS = 100;

/**
 * What one attempt tells of its progress and of the resources it uses.
 *
 * 1. Memory is bounded however much is reported: usage is only added up, and of each metric the last report is kept.
 * 2. Reports that arrive after the attempt has ended are the caller's to hold back.
 */
export class AttemptUsage {
  readonly #cost: PhaseCost;
  readonly #prices: Prices;
  readonly #metrics = new Map<string, ReportedMetric>();
  #usage: UsageSum | null;

  /**
   * @param cost   `cost` of the attempt's phase
   * @param prices `prices` of its plan
   */
  constructor(cost: PhaseCost, prices: Prices) {
    this.#cost = cost;
    this.#prices = prices;
    this.#usage = flatUsage(cost);
  }

  /** Takes one event; those that tell neither of progress nor of usage are none of its business. */
  readonly take = (event: ReportedEvent): void => {
    if (event.type === "usage") {
      this.#usage = addUsage(this.#usage, usageOfReport(event.usage, this.#cost, this.#prices));
    } else if (event.type === "progress") this.#keep(event.progress);
  };

  /** The last report of each metric, in the order they were first seen. */
  get metrics(): ReportedMetric[] {
    return [...this.#metrics.values()];
  }

  /** `usage` of the event the attempt ends with; `undefined` when there is nothing to tell. */
  get summary(): UsageSum | undefined {
    return this.#usage ?? undefined;
  }

  /** The shards are counted by the phase itself, so that no report may be called like them. */
  #keep({ metric_key: key = DEFAULT_METRIC, unit = key, completed, total }: ProgressReport): void {
    const isNew = !this.#metrics.has(key);
    if (key === SHARDS_METRIC || key.length > MAX_NAME_CHARS || (isNew && this.#metrics.size >= MAX_METRICS)) return;
    const metric = { metric_key: key, unit: unit.slice(0, MAX_NAME_CHARS), completed, total: total ?? null };
    this.#metrics.set(key, metric);
  }
}
