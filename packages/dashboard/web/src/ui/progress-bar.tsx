import type { ReactNode } from "react";
import { countText } from "../format/format-text.ts";

/** Shards by status; what is counted nowhere waits. */
export interface BarCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly running: number;
  readonly backoff?: number;
  readonly cancelled?: number;
}

const PARTS = ["succeeded", "running", "backoff", "failed", "cancelled"] as const;

/** Shards by status as one bar. Its words are in its label. */
export function ShardBar({ counts, label }: { readonly counts: BarCounts; readonly label: string }): ReactNode {
  const total = Math.max(1, counts.total);
  return (
    <span className="shard-bar" role="img" aria-label={`${label}: ${countsText(counts)}`} title={countsText(counts)}>
      {PARTS.map((part) => {
        const count = counts[part] ?? 0;
        return count === 0 ? null : (
          <span key={part} className={`bar-part bar-${part}`} style={{ width: `${(count / total) * 100}%` }} />
        );
      })}
    </span>
  );
}

/** Counts in words: `40 of 48 succeeded, 2 failed`. */
export function countsText(counts: BarCounts): string {
  const others = PARTS.slice(1).flatMap((part) => {
    const count = counts[part] ?? 0;
    return count === 0 ? [] : [`${countText(count)} ${part === "backoff" ? "in backoff" : part}`];
  });
  return [`${countText(counts.succeeded)} of ${countText(counts.total)} shards succeeded`, ...others].join(", ");
}

/** A run's progress: percent where it is known. */
export function PercentBar({
  percent,
  status,
}: {
  readonly percent: number | null;
  readonly status: string;
}): ReactNode {
  const shown = percent ?? (status === "succeeded" ? 100 : 0);
  return (
    <span
      className="percent-bar"
      role="progressbar"
      aria-label="progress"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(shown)}
    >
      <span className={`bar-part bar-${status}`} style={{ width: `${Math.min(100, shown)}%` }} />
    </span>
  );
}
