import type { Lineage, LineageDirection, LineageNode } from "@fanfold/schemas";
import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { cliCommand } from "../format/cli-command.ts";
import { useSearch } from "../routing/navigation.tsx";
import { useRunScope, useSelection } from "../run/run-context.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { LineageGraph } from "./lineage-graph.tsx";
import { LineageList } from "./lineage-list.tsx";
import { nodeTitle } from "./lineage-model.ts";
import "./lineage.css";

/** A graph of more nodes than that says less than a list. */
const MAX_GRAPH_NODES = 400;
const NARROW = "(max-width: 700px)";

/** What was made from what: of all the run, or of one phase or artifact, up, down or both ways. */
export function LineageView(): ReactNode {
  const { run } = useRunScope();
  const [search] = useSearch();
  const of = search.get("of");
  const direction = readDirection(search.get("direction"));
  const isNarrow = useIsNarrow();
  const [isList, setIsList] = useState<boolean>();
  const { data, error, reload } = useResource<Lineage>(apiPath(["runs", run.run_id, "lineage"], { of, direction }));
  const made = run.phases.reduce((sum, { artifacts, revision }) => sum + artifacts.length + revision, 0);
  useEffect(reload, [made, reload]);
  const open = useOpenNode();
  if (error !== undefined) return <LineageError error={error} />;
  if (data === undefined) return <LoadingState label="Loading the lineage" />;
  const isListed = isList ?? (isNarrow || data.nodes.length > MAX_GRAPH_NODES);
  // where the whole run is asked for, nothing of it stands out
  const shown = of === null ? { ...data, roots: [] } : data;
  return (
    <section className="lineage" aria-label="Lineage">
      <LineageTools lineage={data} of={of} isListed={isListed} onList={setIsList} />
      {data.nodes.length === 0 ? <EmptyState title="Nothing has been made yet" /> : null}
      {data.nodes.length === 0 ? null : isListed ? (
        <LineageList lineage={shown} onOpen={open} />
      ) : (
        <LineageGraph lineage={shown} onOpen={open} />
      )}
    </section>
  );
}

function LineageError({ error }: { readonly error: Parameters<typeof ErrorState>[0]["error"] }): ReactNode {
  const [, change] = useSearch();
  return (
    <div>
      <ErrorState error={error} />
      <button type="button" onClick={() => change({ of: null })}>
        Lineage of the whole run
      </button>
    </div>
  );
}

interface ToolsProps {
  readonly lineage: Lineage;
  readonly of: string | null;
  readonly isListed: boolean;
  readonly onList: (isList: boolean) => void;
}

function LineageTools({ lineage, of, isListed, onList }: ToolsProps): ReactNode {
  const [, change] = useSearch();
  const { run_id: runId, direction, nodes, roots } = lineage;
  const titles = nodes.filter(({ id }) => roots.includes(id)).map(nodeTitle);
  const flags = direction === "both" ? [] : [`--${direction}`];
  return (
    <div className="shard-tools">
      <strong className="cut lineage-of" title={titles.join(", ")}>
        {of === null ? "The whole run" : titles.slice(0, 3).join(", ")}
        {of !== null && titles.length > 3 ? ` and ${titles.length - 3} more` : ""}
      </strong>
      {of === null ? null : (
        <>
          <select
            aria-label="Direction"
            value={direction}
            onChange={(event) => change({ direction: event.target.value === "both" ? null : event.target.value })}
          >
            <option value="both">up and down</option>
            <option value="up">what it was made from</option>
            <option value="down">what was made of it</option>
          </select>
          <button type="button" className="small" onClick={() => change({ of: null, direction: null })}>
            Whole run
          </button>
        </>
      )}
      <span className="push" />
      <button type="button" className="small" aria-pressed={isListed} onClick={() => onList(!isListed)}>
        As a list
      </button>
      <CopyButton
        text={cliCommand("lineage", runId, ...(of === null ? [] : [of]), ...flags)}
        label="Copy as CLI command"
      />
    </div>
  );
}

/** Opens what a node stands for: the phase, or the artifact. */
function useOpenNode(): (node: LineageNode) => void {
  const { select, openArtifact } = useSelection();
  return (node) => (node.kind === "phase" ? select(node.phase) : openArtifact({ ...node, shard: null }));
}

function readDirection(text: string | null): LineageDirection {
  return text === "up" || text === "down" ? text : "both";
}

function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribeToWidth, () => matchMedia(NARROW).matches);
}

function subscribeToWidth(onChange: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener("change", onChange);
  return () => query.removeEventListener("change", onChange);
}
