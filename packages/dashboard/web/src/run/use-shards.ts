import type { JournalLine, ShardPage, ShardRow } from "@fanfold/schemas";
import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, getJson } from "../api/client.ts";
import { patchRows } from "./patch-rows.ts";
import type { LineFeed } from "./use-run.ts";

/** What of a phase's shards is asked for. */
export interface ShardQuery {
  readonly status: string;
  readonly text: string;
  readonly sort: "index" | "duration" | "attempts";
  readonly order: "asc" | "desc";
}

/** Shards of a phase, kept up to date. */
export interface LiveShards {
  readonly rows: readonly ShardRow[] | undefined;
  readonly total: number;
  readonly error: ApiError | undefined;
  readonly loadMore: () => void;
}

const PAGE_SIZE = 1_000;
/** Lists that depend on statuses are read again, this long after something changed. */
const REREAD_MS = 1_500;

interface Loaded {
  readonly rows: readonly ShardRow[] | undefined;
  readonly total: number;
  readonly cursor: string | null;
  readonly error: ApiError | undefined;
}

const NOTHING: Loaded = { rows: undefined, total: 0, cursor: null, error: undefined };

/**
 * Reads the shards of a phase page by page. Rows that are there follow the journal by themselves; a list whose members
 * or order depend on what changes is read again in addition.
 */
export function useShards(place: { runId: string; phase: string }, query: ShardQuery, feed: LineFeed): LiveShards {
  const { runId, phase } = place;
  const { status, text, sort, order } = query;
  const [loaded, setLoaded] = useState<Loaded>(NOTHING);
  const round = useRef(0);
  const isBusy = useRef(false);

  const read = useCallback(
    async (cursor: string | null): Promise<void> => {
      const thisRound = cursor === null ? ++round.current : round.current;
      isBusy.current = true;
      try {
        const path = apiPath(["runs", runId, "phases", phase, "shards"], {
          status,
          q: text,
          sort,
          order,
          cursor,
          limit: PAGE_SIZE,
        });
        const page = await getJson<ShardPage>(path);
        if (thisRound !== round.current) return;
        setLoaded((before) => ({
          rows: cursor === null ? page.shards : [...(before.rows ?? []), ...page.shards],
          total: page.total,
          cursor: page.next_cursor,
          error: undefined,
        }));
      } catch (thrown) {
        if (thisRound === round.current) setLoaded((before) => ({ ...before, error: asApiError(thrown) }));
      } finally {
        if (thisRound === round.current) isBusy.current = false;
      }
    },
    [runId, phase, status, text, sort, order],
  );
  useEffect(() => void read(null), [read]);
  useEffect(() => {
    const isByIndex = status === "" && text === "" && sort === "index";
    return followShards({ feed, phase, setLoaded, reread: (isNew) => (isNew || !isByIndex ? read(null) : undefined) });
  }, [feed, phase, status, text, sort, read]);
  const { cursor } = loaded;
  const loadMore = useCallback(() => {
    if (cursor !== null && !isBusy.current) void read(cursor);
  }, [cursor, read]);
  return { ...loaded, loadMore };
}

interface Follower {
  readonly feed: LineFeed;
  readonly phase: string;
  readonly setLoaded: (change: (before: Loaded) => Loaded) => void;
  /** @param isNew whether shards came into being */
  readonly reread: (isNew: boolean) => Promise<void> | undefined;
}

function followShards({ feed, phase, setLoaded, reread }: Follower): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isNew = false;
  const stop = feed((lines: readonly JournalLine[]) => {
    const own = lines.filter((line) => line.phase === phase);
    if (own.length === 0) return;
    setLoaded((before) => (before.rows === undefined ? before : { ...before, rows: patchRows(before.rows, own) }));
    isNew ||= own.some(({ event }) => event.startsWith("phase_") || event === "shard_cancelled");
    timer ??= setTimeout(() => {
      timer = undefined;
      void reread(isNew);
      isNew = false;
    }, REREAD_MS);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
