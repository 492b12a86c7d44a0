import type { JournalLine } from "@fanfold/schemas";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, getJson } from "../api/client.ts";
import { type LiveState, openLiveStream } from "../api/live-stream.ts";
import type { RunDetail } from "../api/shapes.ts";

/** Tells of each line of the run's journal as it comes; lines of one burst together. */
export type LineFeed = (listener: (lines: readonly JournalLine[]) => void) => () => void;

/** A run, kept up to date by its journal. */
export interface LiveRun {
  readonly run: RunDetail | undefined;
  readonly error: ApiError | undefined;
  readonly state: LiveState;
  readonly reload: () => void;
  readonly feed: LineFeed;
}

/** Readings of the whole run follow each other by at least this, and by a few times what the last one took. */
const MIN_PAUSE_MS = 300;
const PAUSE_BY_COST = 3;
/** Lines are handed on together, at most this often. */
const BURST_MS = 150;
const RETRY_MS = 3_000;

/**
 * Reads a run and reads it again whenever its journal grows. The stream starts after the journal's end as the first
 * reading had it, and each connection goes on after the last line seen, so that no line is missed.
 */
export function useRun(runId: string): LiveRun {
  const [answer, setAnswer] = useState<{ run: RunDetail | undefined; error: ApiError | undefined }>({
    run: undefined,
    error: undefined,
  });
  const [state, setState] = useState<LiveState>("connecting");
  const listeners = useRef(new Set<(lines: readonly JournalLine[]) => void>());
  const feed = useCallback<LineFeed>((listener) => {
    listeners.current.add(listener);
    return () => listeners.current.delete(listener);
  }, []);
  const reader = useMemo(() => createReader(runId, setAnswer), [runId]);
  useEffect(() => {
    void reader.read();
    return reader.stop;
  }, [reader]);
  const isRead = answer.run !== undefined;
  const lastSeq = useRef(0);
  lastSeq.current = Math.max(lastSeq.current, answer.run?.last_seq ?? 0);
  useEffect(() => {
    if (!isRead) return undefined;
    return followJournal({
      runId,
      lastSeq,
      setState,
      onLines: (lines) => {
        for (const listener of listeners.current) listener(lines);
        reader.readSoon();
      },
    });
  }, [isRead, runId, reader]);
  return { ...answer, state, reload: reader.readSoon, feed };
}

interface Reader {
  readonly read: () => Promise<void>;
  readonly readSoon: () => void;
  readonly stop: () => void;
}

type SetAnswer = (
  change: (before: { run: RunDetail | undefined; error: ApiError | undefined }) => {
    run: RunDetail | undefined;
    error: ApiError | undefined;
  },
) => void;

/** Reads the run one time after the other, never two at once. */
function createReader(runId: string, setAnswer: SetAnswer): Reader {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let isWanted = false;
  let isStopped = false;
  let pauseMs = MIN_PAUSE_MS;
  const read = async (): Promise<void> => {
    isStopped = false;
    isReading = true;
    isWanted = false;
    const startedMs = performance.now();
    try {
      const run = await getJson<RunDetail>(apiPath(["runs", runId]));
      if (!isStopped) setAnswer(() => ({ run, error: undefined }));
      pauseMs = Math.max(MIN_PAUSE_MS, (performance.now() - startedMs) * PAUSE_BY_COST);
    } catch (thrown) {
      const error = asApiError(thrown);
      if (!isStopped) setAnswer((before) => ({ ...before, error }));
      pauseMs = RETRY_MS;
      isWanted = error.status === 0 || error.status >= 500;
    }
    isReading = false;
    if (isWanted) readSoon();
  };
  const readSoon = (): void => {
    isWanted = true;
    if (isReading || isStopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (!isStopped) void read();
    }, pauseMs);
  };
  const stop = (): void => {
    isStopped = true;
    clearTimeout(timer);
    timer = undefined;
  };
  return { read, readSoon, stop };
}

interface Follower {
  readonly runId: string;
  readonly lastSeq: { current: number };
  readonly setState: (state: LiveState) => void;
  readonly onLines: (lines: readonly JournalLine[]) => void;
}

function followJournal({ runId, lastSeq, setState, onLines }: Follower): () => void {
  let burst: JournalLine[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    const lines = burst;
    burst = [];
    onLines(lines);
  };
  const close = openLiveStream<JournalLine>({
    address: () => apiPath(["runs", runId, "stream"], { after: lastSeq.current }),
    event: "journal",
    onState: setState,
    onData: (line) => {
      if (line.seq <= lastSeq.current) return;
      lastSeq.current = line.seq;
      burst.push(line);
      timer ??= setTimeout(flush, BURST_MS);
    },
  });
  return () => {
    clearTimeout(timer);
    close();
  };
}
