import { useEffect, useMemo, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, getJson } from "../api/client.ts";
import { openLiveStream } from "../api/live-stream.ts";
import type { LogChunk } from "../api/shapes.ts";
import { LogBuffer } from "./log-buffer.ts";

/** Parts of the address of an attempt's log. */
export type LogPlace = readonly (string | number)[];

/** The log of an attempt as far as it is known; `version` changes with each piece. */
export interface LiveLog {
  readonly buffer: LogBuffer;
  readonly version: number;
  readonly sizeBytes: number;
  readonly isLoading: boolean;
  /** Whether the end of the log is left out for its size. */
  readonly isCut: boolean;
  readonly error: ApiError | undefined;
}

const CHUNK_BYTES = 1_048_576;
/** More than this is not held by the page; it can be downloaded. */
const MAX_BYTES = 32 * 1_048_576;
const RETRY_MS = 2_000;

interface LogState {
  readonly version: number;
  readonly sizeBytes: number;
  readonly isLoading: boolean;
  readonly isCut: boolean;
  readonly error: ApiError | undefined;
}

const EMPTY: LogState = { version: 0, sizeBytes: 0, isLoading: true, isCut: false, error: undefined };

/** Reads an attempt's log, and goes on with it while the attempt runs. */
export function useLog(place: LogPlace, isOver: boolean): LiveLog {
  const key = place.join("/");
  const buffer = useMemo(() => ({ log: new LogBuffer(), offset: 0, key }), [key]);
  const [state, setState] = useState<LogState>(EMPTY);
  useEffect(() => {
    const abort = new AbortController();
    let stop: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (change: Partial<LogState>): void => setState((before) => ({ ...before, ...change, version: before.version + 1 }));
    const take = (text: string, nextOffset: number): void => {
      buffer.log.append(text);
      buffer.offset = nextOffset;
    };
    const start = async (): Promise<void> => {
      try {
        const isWhole = await readToEnd({ place, abort, offset: () => buffer.offset, take, show });
        if (abort.signal.aborted) return;
        show({ isLoading: false, isCut: !isWhole, error: undefined });
        if (isWhole && !isOver) stop = followLog({ place, offset: () => buffer.offset, take, show });
      } catch (thrown) {
        if (abort.signal.aborted) return;
        const error = asApiError(thrown);
        show({ error, isLoading: false });
        if (error.status === 0 || error.status >= 500) timer = setTimeout(() => void start(), RETRY_MS);
      }
    };
    void start();
    return () => {
      abort.abort();
      clearTimeout(timer);
      stop?.();
    };
    // place is named by buffer.key
  }, [buffer, isOver]);
  return { buffer: buffer.log, ...state };
}

interface LogReader {
  readonly place: LogPlace;
  readonly offset: () => number;
  readonly take: (text: string, nextOffset: number) => void;
  readonly show: (change: Partial<LogState>) => void;
}

/** Reads what there is; false when that is more than the page holds. */
async function readToEnd({ place, abort, offset, take, show }: LogReader & { readonly abort: AbortController }): Promise<boolean> {
  while (offset() < MAX_BYTES) {
    const chunk = await getJson<LogChunk>(apiPath(place, { offset: offset(), limit: CHUNK_BYTES }), abort.signal);
    if (abort.signal.aborted) return true;
    take(chunk.text, chunk.next_offset);
    show({ sizeBytes: chunk.size_bytes });
    if (chunk.next_offset >= chunk.size_bytes || chunk.text === "") return true;
  }
  return false;
}

/** Follows a log from where the page is. What comes twice is left out; offsets and lengths count bytes of UTF-8. */
function followLog({ place, offset, take, show }: LogReader): () => void {
  const encoder = new TextEncoder();
  return openLiveStream({
    address: () => apiPath([...place, "stream"], { offset: offset() }),
    event: "log",
    onState: () => undefined,
    onData: (data) => {
      const piece = data as { text: string; offset: number };
      const nextOffset = piece.offset + encoder.encode(piece.text).length;
      if (nextOffset <= offset()) return;
      take(piece.text, nextOffset);
      show({ sizeBytes: nextOffset });
    },
  });
}
