import { createContext, useCallback, useContext } from "react";
import type { RunDetail } from "../api/shapes.ts";
import { useSearch } from "../routing/navigation.tsx";
import type { LineFeed } from "./use-run.ts";

/** What the parts of a run's page share. */
export interface RunScope {
  readonly run: RunDetail;
  readonly feed: LineFeed;
  readonly reload: () => void;
}

/** The run at hand; only below a run's page. */
export const RunContext = createContext<RunScope | null>(null);

/**
 * The run at hand.
 *
 * @throws {Error} outside of a run's page
 */
export function useRunScope(): RunScope {
  const scope = useContext(RunContext);
  if (scope === null) throw new Error("there is no run here");
  return scope;
}

/** What is chosen on a run's page; one selection for the graph, the timeline and the phases. */
export interface Selection {
  readonly phase: string | null;
  readonly shard: number | null;
  readonly select: (phase: string | null, shard?: number | null) => void;
  /** Id of an artifact, whose details stand in place of its phase's or shard's. */
  readonly artifact: string | null;
  readonly openArtifact: (artifact: ChosenArtifact) => void;
}

/** An artifact, and where it is. */
export interface ChosenArtifact {
  readonly artifact_id: string;
  readonly phase: string;
  readonly shard: number | null;
}

const NOTHING = { phase: null, shard: null, artifact: null, attempt: null, line: null, detail: null };

/** The selection, which is in the address. */
export function useSelection(): Selection {
  const [search, change] = useSearch();
  const shard = search.get("shard");
  const select = useCallback(
    (phase: string | null, chosen: number | null = null) =>
      change({ ...NOTHING, phase, shard: chosen === null ? null : String(chosen) }),
    [change],
  );
  const openArtifact = useCallback(
    ({ artifact_id: id, phase, shard: of }: ChosenArtifact) =>
      change({ ...NOTHING, phase, shard: of === null ? null : String(of), artifact: id }, { isReplaced: false }),
    [change],
  );
  return {
    phase: search.get("phase"),
    shard: shard === null || !/^\d+$/.test(shard) ? null : Number(shard),
    select,
    artifact: search.get("artifact"),
    openArtifact,
  };
}
