import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { timeText } from "../format/format-text.ts";
import { EmptyState } from "../ui/states.tsx";
import { type EventScope, useEvents } from "./use-events.ts";

const ROW_HEIGHT_PX = 26;

/** The journal, the newest line first. */
export function EventsView({ phase, shard }: EventScope): ReactNode {
  const lines = useEvents({ phase, shard });
  const [text, setText] = useState("");
  const [isLoudOnly, setIsLoudOnly] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => {
    const wanted = text.toLowerCase();
    return lines
      .filter(({ level, event, message }) => {
        if (isLoudOnly && level !== "warn" && level !== "error") return false;
        return wanted === "" || `${event} ${message}`.toLowerCase().includes(wanted);
      })
      .toReversed();
  }, [lines, text, isLoudOnly]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 20,
  });
  const nowMs = Date.now();
  return (
    <section className="events" aria-label="Events">
      <div className="shard-tools">
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search events"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <label className="check">
          <input type="checkbox" checked={isLoudOnly} onChange={(event) => setIsLoudOnly(event.target.checked)} />
          warnings and errors only
        </label>
      </div>
      {shown.length === 0 ? <EmptyState title="No events" /> : null}
      <div ref={scroller} className="event-scroll" tabIndex={0} role="log" aria-label="Journal">
        <div className="event-canvas" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = shown[item.index];
            return line === undefined ? null : (
              <div
                key={line.seq}
                className={`event-row level-${line.level}`}
                style={{ transform: `translateY(${item.start}px)` }}
                title={line.message}
              >
                <time className="mono faint">{timeText(Date.parse(line.timestamp), nowMs)}</time>
                <span className="event-name">{line.event}</span>
                <span className="cut">{line.message}</span>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}
