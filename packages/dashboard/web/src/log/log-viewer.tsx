import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { apiPath } from "../api/client.ts";
import { bytesText, countText } from "../format/format-text.ts";
import { useSearch } from "../routing/navigation.tsx";
import { ErrorState } from "../ui/states.tsx";
import { useKeys } from "../ui/use-key.ts";
import { LogText } from "./log-line.tsx";
import { type LogPlace, type LiveLog, useLog } from "./use-log.ts";

const LINE_HEIGHT_PX = 20;

interface LogViewerProps {
  readonly place: LogPlace;
  readonly isOver: boolean;
  /** Chooses the attempt, where there are several. */
  readonly chooser: ReactNode;
}

/** An attempt's output: follows its end, searches, links to lines. Only the lines in sight are drawn. */
export function LogViewer({ place, isOver, chooser }: LogViewerProps): ReactNode {
  const log = useLog(place, isOver);
  const [search, change] = useSearch();
  const linked = Number(search.get("line") ?? 0);
  const [isFollowing, setIsFollowing] = useState(linked === 0);
  const [isWrapped, setIsWrapped] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: log.buffer.lineCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT_PX,
    overscan: 30,
  });
  useScrolling({ virtual, log, linked, isFollowing });
  const found = useFound(log, virtual, () => setIsFollowing(false));
  const follow = (): void => {
    setIsFollowing(!isFollowing);
    if (linked !== 0) change({ line: null });
  };
  return (
    <section className="log" aria-label="Log">
      <div className="log-tools">
        {chooser}
        <FindBox found={found} />
        <button type="button" className="small" aria-pressed={isFollowing} onClick={follow}>
          Follow
        </button>
        <button type="button" className="small" aria-pressed={isWrapped} onClick={() => setIsWrapped(!isWrapped)}>
          Wrap
        </button>
        <a className="button small" href={apiPath(place, { download: 1 })} download>
          Download
        </a>
        <span className="faint">
          {countText(log.buffer.lineCount)} lines, {bytesText(log.sizeBytes)}
        </span>
      </div>
      {log.error === undefined ? null : <ErrorState error={log.error} />}
      {log.isCut ? <p className="banner">The page shows the first 32 MiB; the download has all of it.</p> : null}
      <LogLines
        log={log}
        virtual={virtual}
        scroller={scroller}
        search={found.text.toLowerCase()}
        marked={found.line ?? linked - 1}
        isWrapped={isWrapped}
        onLeaveEnd={() => setIsFollowing(false)}
        onLink={(line) => change({ line: String(line) })}
      />
    </section>
  );
}

type LogVirtualizer = Virtualizer<HTMLDivElement, Element>;

interface LinesProps {
  readonly log: LiveLog;
  readonly virtual: LogVirtualizer;
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly search: string;
  /** Index of the line to point out; -1 for none. */
  readonly marked: number;
  readonly isWrapped: boolean;
  readonly onLeaveEnd: () => void;
  readonly onLink: (line: number) => void;
}

function LogLines({ log, virtual, scroller, search, marked, isWrapped, onLeaveEnd, onLink }: LinesProps): ReactNode {
  const { buffer, isLoading } = log;
  return (
    <div
      ref={scroller}
      className={`log-scroll ${isWrapped ? "is-wrapped" : ""}`}
      tabIndex={0}
      role="log"
      aria-label="Lines of the log"
      aria-live="off"
      onWheel={(event) => (event.deltaY < 0 ? onLeaveEnd() : undefined)}
      onKeyDown={(event) => (/^(?:ArrowUp|PageUp|Home)$/.test(event.key) ? onLeaveEnd() : undefined)}
      onTouchMove={onLeaveEnd}
    >
      {buffer.lineCount === 0 ? (
        <p className="log-empty">{isLoading ? "Loading…" : "It has written nothing."}</p>
      ) : null}
      <div className="log-canvas" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => (
          <div
            key={index}
            ref={isWrapped ? virtual.measureElement : undefined}
            data-index={index}
            className={`log-line ${index === marked ? "is-marked" : ""}`}
            style={{ transform: `translateY(${start}px)` }}
          >
            <button
              type="button"
              className="line-number"
              tabIndex={-1}
              title="Link to this line"
              onClick={() => onLink(index + 1)}
            >
              {index + 1}
            </button>
            <span className="line-text">
              <LogText line={buffer.line(index)} search={search} />
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}

interface Scrolling {
  readonly virtual: LogVirtualizer;
  readonly log: LiveLog;
  readonly linked: number;
  readonly isFollowing: boolean;
}

/** Keeps the end in sight while following; goes once to the line that was linked to. */
function useScrolling({ virtual, log, linked, isFollowing }: Scrolling): void {
  const shown = useRef(0);
  const { lineCount } = log.buffer;
  useEffect(() => {
    if (lineCount === 0) return;
    if (isFollowing) virtual.scrollToIndex(lineCount - 1, { align: "end" });
    else if (linked > 0 && linked <= lineCount && shown.current !== linked) {
      shown.current = linked;
      virtual.scrollToIndex(linked - 1, { align: "center" });
    }
  }, [virtual, lineCount, linked, isFollowing, log.version]);
}

/** What is searched for, and where it was found. */
interface Found {
  readonly text: string;
  readonly count: number;
  /** Which of the finds is pointed out, from 1; 0 for none. */
  readonly at: number;
  readonly line: number | undefined;
  readonly setText: (text: string) => void;
  readonly step: (by: number) => void;
}

function useFound(log: LiveLog, virtual: LogVirtualizer, onJump: () => void): Found {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const wanted = useDeferredValue(text);
  const lines = useMemo(() => log.buffer.find(wanted), [log.buffer, log.version, wanted]);
  const step = (by: number): void => {
    if (lines.length === 0) return;
    const next = ((at === 0 && by < 0 ? 1 : at) - 1 + by + lines.length) % lines.length;
    setAt(next + 1);
    onJump();
    virtual.scrollToIndex(lines[next] ?? 0, { align: "center" });
  };
  useKeys({ n: () => step(1), N: () => step(-1) });
  const choose = (value: string): void => {
    setText(value);
    setAt(0);
  };
  return { text, count: lines.length, at, line: at === 0 ? undefined : lines[at - 1], setText: choose, step };
}

function FindBox({ found }: { readonly found: Found }): ReactNode {
  return (
    <span className="find-box">
      <input
        type="search"
        aria-label="Search the log"
        placeholder="Search the log ( n / N )"
        value={found.text}
        onChange={(event) => found.setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") found.step(event.shiftKey ? -1 : 1);
        }}
      />
      {found.text === "" ? null : (
        <span className="faint" aria-live="polite">
          {found.at === 0 ? "" : `${found.at} of `}
          {countText(found.count)}
        </span>
      )}
    </span>
  );
}
