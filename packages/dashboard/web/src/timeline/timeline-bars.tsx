import type { ReactNode } from "react";
import { durationText } from "../format/format-text.ts";
import type { Segment } from "./timeline-model.ts";
import { barsOf, type TimeWindow } from "./timeline-rows.ts";

interface BarsProps {
  readonly segments: readonly Segment[];
  readonly window: TimeWindow;
  readonly widthPx: number;
  readonly nowMs: number;
  readonly onChoose: (phase: string, shard: number | null) => void;
}

const HEIGHT_PX = 16;

/** The segments of one row. */
export function TimelineBars({ segments, window, widthPx, nowMs, onChoose }: BarsProps): ReactNode {
  return (
    <svg
      className="timeline-bars"
      width={widthPx}
      height={HEIGHT_PX}
      role="img"
      aria-label={segmentsText(segments, nowMs)}
    >
      {barsOf(segments, window, widthPx, nowMs).map(({ segment, x, width }) => (
        <rect
          key={`${segment.startMs} ${segment.phase} ${segment.shard ?? ""} ${segment.kind}`}
          x={x}
          width={width}
          height={HEIGHT_PX}
          rx={width > 6 ? 2 : 0}
          className={`seg seg-${segment.kind}`}
          onClick={() => onChoose(segment.phase, segment.shard ?? null)}
        >
          <title>{segmentText(segment, nowMs)}</title>
        </rect>
      ))}
    </svg>
  );
}

function segmentText({ kind, phase, shard, attempt, startMs, endMs }: Segment, nowMs: number): string {
  const place = `${phase}${shard === undefined ? "" : `[${shard}]`}${attempt === undefined ? "" : ` attempt ${attempt}`}`;
  return `${place}: ${kind} ${durationText((endMs ?? nowMs) - startMs)}`;
}

function segmentsText(segments: readonly Segment[], nowMs: number): string {
  const last = segments.at(-1);
  return last === undefined ? "nothing yet" : `${segments.length} stretches, the last: ${segmentText(last, nowMs)}`;
}
