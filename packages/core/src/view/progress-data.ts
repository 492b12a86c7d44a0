import { type EventData, readNumber, readObjects, readText } from "./event-data.ts";
import type { MetricAmount, TotalStatus } from "./progress-metric.ts";

/** Longest name of a metric or unit that is taken over from an event. */
const MAX_NAME_CHARS = 100;

const GUESSED: readonly TotalStatus[] = ["discovering", "estimated", "locked"];

/** Metrics of a `phase_progress` event. What makes no sense is left out. */
export function readMetrics(data: EventData | undefined): MetricAmount[] {
  return readObjects(data, "metrics").flatMap((fields) => {
    const key = readText(fields, "metric_key");
    const completed = readNumber(fields, "completed");
    if (key === undefined || key.length > MAX_NAME_CHARS || completed === undefined || completed < 0) return [];
    const unit = (readText(fields, "unit") ?? key).slice(0, MAX_NAME_CHARS);
    return [{ metric_key: key, unit, completed, ...readTotal(fields) }];
  });
}

function readTotal(fields: EventData): Pick<MetricAmount, "total" | "total_status"> {
  const total = readNumber(fields, "total");
  const status = GUESSED.find((known) => known === fields["total_status"]);
  if (total === undefined || total < 0 || fields["total_status"] === "unknown") {
    return { total: null, total_status: "unknown" };
  }
  return { total, total_status: status ?? "estimated" };
}
