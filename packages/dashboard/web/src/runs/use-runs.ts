import type { RunList, RunListItem } from "@fanfold/schemas";
import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, getJson } from "../api/client.ts";
import { type LiveState, openLiveStream } from "../api/live-stream.ts";
import { filterQuery, isInFilter, mergeRun, type RunsFilter } from "./runs-filter.ts";

/** The list of runs, kept up to date. */
export interface LiveRuns {
  readonly runs: readonly RunListItem[] | undefined;
  readonly error: ApiError | undefined;
  readonly state: LiveState;
  readonly isLoading: boolean;
  /** Reads older runs; absent when there are none. */
  readonly loadMore: (() => void) | undefined;
  readonly reload: () => void;
  /** Takes a run out of the list that is gone. */
  readonly drop: (runId: string) => void;
}

const PAGE_SIZE = 50;

interface Loaded {
  readonly runs: readonly RunListItem[] | undefined;
  readonly cursor: string | null;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
}

/** Reads the runs of a filter and follows them. Each new connection reads the list again, so nothing is missed. */
export function useRuns(filter: RunsFilter): LiveRuns {
  const [loaded, setLoaded] = useState<Loaded>({ runs: undefined, cursor: null, error: undefined, isLoading: true });
  const [state, setState] = useState<LiveState>("connecting");
  const key = JSON.stringify(filter);
  const current = useRef({ filter, key });
  useEffect(() => {
    current.current = { filter, key };
  });

  const load = useCallback(async (cursor: string | null): Promise<void> => {
    const { filter: asked, key: askedKey } = current.current;
    setLoaded((before) => ({ ...before, isLoading: true }));
    try {
      const query = { ...filterQuery(asked, Date.now()), cursor, limit: PAGE_SIZE };
      const page = await getJson<RunList>(apiPath(["runs"], query));
      if (askedKey !== current.current.key) return;
      setLoaded((before) => ({
        runs: cursor === null ? page.runs : [...(before.runs ?? []), ...page.runs],
        cursor: page.next_cursor,
        error: undefined,
        isLoading: false,
      }));
    } catch (thrown) {
      if (askedKey === current.current.key) {
        setLoaded((before) => ({ ...before, error: asApiError(thrown), isLoading: false }));
      }
    }
  }, []);

  useEffect(() => void load(null), [load, key]);
  useEffect(() => followRuns({ load, setState, current, setLoaded }), [load]);
  const { cursor, runs } = loaded;
  const drop = (gone: string): void => {
    // the last one that was read may not be the last one there is
    if (runs !== undefined && runs.length > 1) setLoaded((before) => without(before, gone));
    else void load(null);
  };
  return {
    ...loaded,
    state,
    loadMore: cursor === null ? undefined : () => void load(cursor),
    reload: () => void load(null),
    drop,
  };
}

function without(loaded: Loaded, gone: string): Loaded {
  return { ...loaded, runs: loaded.runs?.filter(({ run_id: runId }) => runId !== gone) };
}

interface Follower {
  readonly load: (cursor: string | null) => Promise<void>;
  readonly setState: (state: LiveState) => void;
  readonly current: { readonly current: { readonly filter: RunsFilter } };
  readonly setLoaded: (change: (before: Loaded) => Loaded) => void;
}

function followRuns({ load, setState, current, setLoaded }: Follower): () => void {
  return openLiveStream<RunListItem>({
    address: () => apiPath(["runs", "stream"]),
    event: "run",
    others: {
      removed: (text) => {
        const { run_id: gone }: { run_id: string } = JSON.parse(text);
        setLoaded((before) => without(before, gone));
      },
    },
    onState: setState,
    onOpen: () => void load(null), // what changed before the stream stood is in the list
    onData: (run) => {
      const isShown = isInFilter(run, current.current.filter, Date.now());
      setLoaded((before) =>
        before.runs === undefined ? before : { ...before, runs: mergeRun(before.runs, run, isShown) },
      );
    },
  });
}
