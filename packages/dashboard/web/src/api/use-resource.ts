import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, asApiError } from "./api-error.ts";
import { getJson } from "./client.ts";

/** Something the page reads: the last good answer stays while a new one is on its way. */
export interface Resource<Data> {
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface Answer<Data> {
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
}

const RETRY_MS = 3_000;

/**
 * Reads a resource of the API, and again when its path changes or it is told to. What could not be read because
 * nothing answered is tried again.
 *
 * @param path `null`: nothing to read yet
 * @param pollMs time between two readings while the page is visible; none by default
 */
export function useResource<Data>(path: string | null, pollMs?: number): Resource<Data> {
  const [answer, setAnswer] = useState<Answer<Data>>({ data: undefined, error: undefined, isLoading: path !== null });
  const [round, setRound] = useState(0);
  const lastPath = useRef(path);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => {
    if (path === null) return undefined;
    const isNew = lastPath.current !== path;
    lastPath.current = path;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (ms: number): void => {
      timer = setTimeout(() => setRound((count) => count + 1), ms);
    };
    if (isNew) setAnswer((before) => ({ ...before, isLoading: true }));
    getJson<Data>(path, abort.signal)
      .then((data) => {
        setAnswer({ data, error: undefined, isLoading: false });
        if (pollMs !== undefined) again(document.visibilityState === "visible" ? pollMs : pollMs * 10);
      })
      .catch((thrown: unknown) => {
        if (abort.signal.aborted) return;
        const error = asApiError(thrown);
        setAnswer((before) => ({ data: before.data, error, isLoading: false }));
        if (error.status === 0 || error.status >= 500) again(RETRY_MS);
      });
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [path, round, pollMs]);
  return { ...answer, reload };
}
