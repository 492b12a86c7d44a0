import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type WheelEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { durationText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { useRunScope, useSelection } from "../run/run-context.tsx";
import { useEventReader } from "../run/use-events.ts";
import { EmptyState } from "../ui/states.tsx";
import { TimelineBars } from "./timeline-bars.tsx";
import { TimelineModel } from "./timeline-model.ts";
import { phaseRows, ticksOf, type TimelineRow, type TimeWindow, workerRows } from "./timeline-rows.ts";
import { useTimeWindow } from "./use-time-window.ts";
import "./timeline.css";

const ROW_HEIGHT_PX = 28;
const LABEL_WIDTH_PX = 190;
const EVERYTHING = { phase: null, shard: null };

/** Where the time went: waiting, queued, backoff and attempts, by phase or by worker. */
export function TimelineView(): ReactNode {
  const { run } = useRunScope();
  const { phase } = useSelection();
  const [isByWorker, setIsByWorker] = useState(false);
  const { model, version } = useTimelineModel();
  const isOver = run.finished_at_ms !== null;
  const nowMs = useNow(!isOver);
  const startMs = model.startMs ?? nowMs;
  const endMs = model.endMs ?? nowMs;
  const zoom = useTimeWindow({ fromMs: startMs, toMs: Math.max(endMs, startMs + 100) });
  const rows = useMemo(
    () =>
      isByWorker
        ? workerRows(model)
        : phaseRows(
            model,
            run.phases.map((item) => item.phase),
            phase,
          ),
    // the model is changed in place; its version tells
    [model, version, isByWorker, run, phase],
  );
  return (
    <section className="timeline" aria-label="Timeline">
      <div className="shard-tools">
        <button type="button" className="small" aria-pressed={!isByWorker} onClick={() => setIsByWorker(false)}>
          By phase
        </button>
        <button type="button" className="small" aria-pressed={isByWorker} onClick={() => setIsByWorker(true)}>
          By worker
        </button>
        <span className="push" />
        <Legend />
        <span className="push" />
        <button type="button" className="small" aria-label="Zoom in" onClick={() => zoom.scale(0.5)}>
          +
        </button>
        <button type="button" className="small" aria-label="Zoom out" onClick={() => zoom.scale(2)}>
          −
        </button>
        <button type="button" className="small" onClick={zoom.reset} disabled={!zoom.isZoomed}>
          All
        </button>
      </div>
      {rows.length === 0 ? <EmptyState title="Nothing has happened yet" /> : null}
      <Rows rows={rows} zoom={zoom} startMs={startMs} nowMs={isOver ? endMs : nowMs} />
    </section>
  );
}

const KINDS = ["waiting", "queued", "backoff", "running", "succeeded", "failed", "lost", "cancelled"] as const;

function Legend(): ReactNode {
  return (
    <span className="legend">
      {KINDS.map((kind) => (
        <span key={kind}>
          <svg width="12" height="10" aria-hidden="true">
            <rect width="12" height="10" rx="2" className={`seg seg-${kind}`} />
          </svg>
          {kind}
        </span>
      ))}
    </span>
  );
}

/** The model of the run at hand, and a number that changes with it. */
function useTimelineModel(): { model: TimelineModel; version: number } {
  const [model] = useState(() => new TimelineModel());
  const [version, setVersion] = useState(0);
  const add = useCallback(
    (lines: Parameters<TimelineModel["add"]>[0]) => {
      model.add(lines);
      setVersion(model.lastSeq);
    },
    [model],
  );
  useEventReader(EVERYTHING, add);
  return { model, version };
}

interface RowsProps {
  readonly rows: readonly TimelineRow[];
  readonly zoom: ReturnType<typeof useTimeWindow>;
  readonly startMs: number;
  readonly nowMs: number;
}

function Rows({ rows, zoom, startMs, nowMs }: RowsProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const widthPx = Math.max(120, useWidth(scroller) - LABEL_WIDTH_PX - 16);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 10,
  });
  const { phase, shard, select } = useSelection();
  const turn = (event: WheelEvent): void => {
    if (event.ctrlKey || event.metaKey) zoom.scale(event.deltaY > 0 ? 1.25 : 0.8);
    else if (event.shiftKey) zoom.move((event.deltaY / 800) * 1);
  };
  return (
    <div
      ref={scroller}
      className="timeline-scroll"
      tabIndex={0}
      role="group"
      aria-label="Rows of the timeline"
      onWheel={turn}
    >
      <TimeAxis window={zoom.window} startMs={startMs} widthPx={widthPx} />
      <div className="timeline-canvas" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const isChosen = row.phase !== null && row.phase === phase && row.shard === shard;
          return (
            <div
              key={row.id}
              className={`timeline-row ${isChosen ? "is-selected" : ""}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <RowLabel row={row} onChoose={() => select(row.phase, row.shard)} />
              <TimelineBars
                segments={row.segments}
                window={zoom.window}
                widthPx={widthPx}
                nowMs={nowMs}
                onChoose={select}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function RowLabel({ row, onChoose }: { readonly row: TimelineRow; readonly onChoose: () => void }): ReactNode {
  if (row.phase === null) return <span className="timeline-label cut">{row.title}</span>;
  return (
    <button type="button" className={`timeline-label level-${row.level}`} title={row.title} onClick={onChoose}>
      <span className="cut">{row.title}</span>
    </button>
  );
}

interface AxisProps {
  readonly window: TimeWindow;
  readonly startMs: number;
  readonly widthPx: number;
}

/** Time since the run's start. */
function TimeAxis({ window, startMs, widthPx }: AxisProps): ReactNode {
  const scale = widthPx / Math.max(1, window.toMs - window.fromMs);
  return (
    <div className="timeline-axis">
      <svg width={widthPx} height="24" aria-hidden="true">
        {ticksOf(window, startMs, widthPx).map((tick) => (
          <g key={tick} transform={`translate(${(tick - window.fromMs) * scale} 0)`}>
            <line y1="16" y2="24" className="tick" />
            <text x="3" y="14">
              {tick === startMs ? "0" : durationText(tick - startMs)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(800);
  useEffect(() => {
    if (element.current === null) return undefined;
    const watcher = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 800));
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, [element]);
  return width;
}
