import type { ReactNode } from "react";
import { agoText, timeText } from "../format/format-text.ts";

/** A time, relative; the absolute one is in its title. */
export function TimeLabel({ atMs, nowMs }: { readonly atMs: number | null; readonly nowMs: number }): ReactNode {
  if (atMs === null) return <span className="faint">–</span>;
  return (
    <time dateTime={new Date(atMs).toISOString()} title={timeText(atMs, nowMs)}>
      {agoText(atMs, nowMs)}
    </time>
  );
}
