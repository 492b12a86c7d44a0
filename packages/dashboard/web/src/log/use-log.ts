import type { LogPage } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, getJson } from "../api/client.ts";
import { openLiveStream } from "../api/live-stream.ts";
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

/**
 * The log of an attempt. While it runs, its stream is followed; when it is over, the whole is read, which may have more
 * than what was streamed. What is shown stays until there is something in its place.
 */
export function useLog(place: LogPlace, isOver: boolean): LiveLog {
  const [log, setLog] = useState<LiveLog>(() => ({
    buffer: new LogBuffer(),
    version: 0,
    sizeBytes: 0,
    isLoading: true,
    isCut: false,
    error: undefined,
  }));
  const key = JSON.stringify(place);
  useEffect(() => {
    const parts: LogPlace = JSON.parse(key);
    const show = (change: Partial<LiveLog>): void =>
      setLog((before) => ({ ...before, ...change, version: before.version + 1 }));
    return isOver ? readWhole(parts, show) : followLog(parts, show);
  }, [key, isOver]);
  return log;
}

type Show = (change: Partial<LiveLog>) => void;

/** Reads a log that is complete, piece by piece. */
function readWhole(place: LogPlace, show: Show): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async (): Promise<void> => {
    const buffer = new LogBuffer();
    let offset = 0;
    let sizeBytes = 0;
    do {
      const page = await getJson<LogPage>(apiPath(place, { offset, limit: CHUNK_BYTES }), abort.signal);
      buffer.append(page.text);
      if (page.next_offset === offset) break;
      offset = page.next_offset;
      sizeBytes = page.size_bytes;
      show({ buffer, sizeBytes });
    } while (offset < sizeBytes && offset < MAX_BYTES);
    show({ buffer, isLoading: false, isCut: offset < sizeBytes, error: undefined });
  };
  const start = (): void => {
    read().catch((thrown: unknown) => {
      if (abort.signal.aborted) return;
      const error = asApiError(thrown);
      show({ error, isLoading: false });
      if (error.status === 0 || error.status >= 500) timer = setTimeout(start, RETRY_MS);
    });
  };
  start();
  return () => {
    clearTimeout(timer);
    abort.abort();
  };
}

/** Follows a log. A connection that is opened again begins anew: what comes twice is left out. Offsets count bytes. */
function followLog(place: LogPlace, show: Show): () => void {
  const buffer = new LogBuffer();
  const encoder = new TextEncoder();
  let offset = 0;
  return openLiveStream<{ text: string; offset: number }>({
    address: () => apiPath([...place, "stream"]),
    event: "log",
    onState: () => undefined,
    onOpen: () => show({ isLoading: false }),
    onData: (piece) => {
      const bytes = encoder.encode(piece.text);
      const isKnown = piece.offset + bytes.length <= offset;
      if (isKnown || offset > MAX_BYTES) return;
      buffer.append(
        piece.offset < offset ? new TextDecoder().decode(bytes.subarray(offset - piece.offset)) : piece.text,
      );
      offset = piece.offset + bytes.length;
      show({ buffer, sizeBytes: offset, isCut: offset > MAX_BYTES, isLoading: false });
    },
  });
}
