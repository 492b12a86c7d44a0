import type { ShardRow } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { durationText } from "../format/format-text.ts";
import { StatusBadge } from "../ui/status-icon.tsx";

interface ShardLineProps {
  readonly row: ShardRow;
  readonly nowMs: number;
  /** Where the row stands in the scrolled area. */
  readonly topPx: number;
  readonly isChosen: boolean;
  readonly isMarked: boolean;
  readonly onMark: () => void;
  readonly onChoose: () => void;
}

/** One shard as a row. Only what failed can be marked for a retry. */
export function ShardLine({ row, nowMs, topPx, isChosen, isMarked, onMark, onChoose }: ShardLineProps): ReactNode {
  return (
    <div
      className={`shard-row ${isChosen ? "is-selected" : ""}`}
      style={{ transform: `translateY(${topPx}px)` }}
      onClick={onChoose}
    >
      <span>
        {row.status === "failed" ? (
          <input
            type="checkbox"
            aria-label={`Mark shard ${row.shard}`}
            checked={isMarked}
            onChange={onMark}
            onClick={(event) => event.stopPropagation()}
          />
        ) : null}
      </span>
      <span>
        <button type="button" className="link mono" onClick={onChoose}>
          {row.shard}
        </button>
      </span>
      <StatusBadge status={row.status} />
      <span>{shardTime(row, nowMs)}</span>
      <span>{row.attempts}</span>
      <span className="cut faint">{row.worker ?? ""}</span>
      <span className="cut" title={row.failure?.why}>
        {row.failure?.why ?? ""}
      </span>
    </div>
  );
}

/** How long the latest attempt took, or has taken so far; empty before the first. */
function shardTime({ status, duration_ms: durationMs, started_at_ms: startedMs }: ShardRow, nowMs: number): string {
  if (status === "running" && startedMs !== null) return durationText(nowMs - startedMs);
  return durationMs === null ? "" : durationText(durationMs);
}
