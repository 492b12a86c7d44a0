import type { ArtifactPage, ArtifactRecord } from "@fanfold/schemas";
import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, getJson } from "../api/client.ts";

/** What of a run's artifacts is asked for. */
export interface ArtifactQuery {
  readonly runId: string;
  /** Empty: of all phases. */
  readonly phase: string;
  readonly shard: number | null;
  /** Null: of all revisions. */
  readonly revision: number | null;
  /** A type, `outputs` for what belongs to phases as a whole, or empty for everything. */
  readonly kind: string;
  /** Part of a name. */
  readonly name: string;
  /** Reads the list again when it changes. */
  readonly edition: number;
}

/** Artifacts of a run, page by page. */
export interface ArtifactList {
  /** Undefined before the first page. */
  readonly rows: readonly ArtifactRecord[] | undefined;
  readonly hasMore: boolean;
  readonly error: ApiError | undefined;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

const PAGE_SIZE = 200;

interface Loaded {
  readonly rows: readonly ArtifactRecord[] | undefined;
  readonly cursor: string | null;
  readonly error: ApiError | undefined;
}

/** Reads artifacts page by page. A list that is read again keeps its rows until the new ones are there. */
export function useArtifacts({ runId, phase, shard, revision, kind, name, edition }: ArtifactQuery): ArtifactList {
  const [loaded, setLoaded] = useState<Loaded>({ rows: undefined, cursor: null, error: undefined });
  const round = useRef(0);
  const isBusy = useRef(false);
  const read = useCallback(
    async (cursor: string | null): Promise<void> => {
      const thisRound = cursor === null ? ++round.current : round.current;
      isBusy.current = true;
      try {
        const page = await getJson<ArtifactPage>(
          apiPath(["runs", runId, "artifact-records"], {
            phase,
            shard,
            revision,
            name,
            type: kind === "outputs" ? null : kind,
            outputs: kind === "outputs" ? 1 : null,
            cursor,
            limit: PAGE_SIZE,
          }),
        );
        if (thisRound !== round.current) return;
        setLoaded(({ rows = [] }) => ({
          rows: cursor === null ? page.artifacts : [...rows, ...page.artifacts],
          cursor: page.next_cursor,
          error: undefined,
        }));
      } catch (thrown) {
        if (thisRound === round.current) setLoaded((before) => ({ ...before, error: asApiError(thrown) }));
      } finally {
        if (thisRound === round.current) isBusy.current = false;
      }
    },
    [runId, phase, shard, revision, kind, name],
  );
  useEffect(() => void read(null), [read, edition]);
  const { rows, cursor, error } = loaded;
  const loadMore = useCallback(() => {
    if (cursor !== null && !isBusy.current) void read(cursor);
  }, [cursor, read]);
  const reload = useCallback(() => void read(null), [read]);
  return { rows, hasMore: cursor !== null, error, loadMore, reload };
}
