import type { ArtifactRecord, ArtifactType } from "@fanfold/schemas";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useDeferredValue, useEffect, useRef, useState } from "react";
import { countText, wordsOf } from "../format/format-text.ts";
import { useRunScope, useSelection } from "../run/run-context.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { ArtifactLine } from "./artifact-line.tsx";
import { type ArtifactList, useArtifacts } from "./use-artifacts.ts";
import "./artifacts.css";

const ROW_HEIGHT_PX = 50;
const TYPES: readonly ArtifactType[] = [
  "file",
  "model_output",
  "error_context",
  "test_results",
  "report",
  "log",
  "custom",
];

interface ArtifactsViewProps {
  /** Only those of this phase; otherwise the phase can be chosen. */
  readonly phase: string | null;
  /** Only those of this shard. */
  readonly shard?: number | null;
}

/** What a run, a phase or a shard has made: outputs of all revisions, parts, collected files, logs, error contexts. */
export function ArtifactsView({ phase, shard = null }: ArtifactsViewProps): ReactNode {
  const { run } = useRunScope();
  const [chosen, setChosen] = useState("");
  const [revision, setRevision] = useState<number | null>(null);
  const [kind, setKind] = useState(shard === null ? "outputs" : "");
  const [text, setText] = useState("");
  const name = useDeferredValue(text.trim());
  const last = lastRevision(run.phases, phase ?? chosen);
  const list = useArtifacts({
    runId: run.run_id,
    phase: phase ?? chosen,
    shard,
    revision: revision !== null && revision <= last ? revision : null,
    kind,
    name,
    edition: editionOf(run.phases),
  });
  return (
    <section className="artifacts" aria-label="Artifacts">
      <div className="shard-tools">
        <input
          type="search"
          aria-label="Search artifacts by name"
          placeholder="Name ( / )"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {phase === null ? (
          <select aria-label="Phase of artifacts" value={chosen} onChange={(event) => setChosen(event.target.value)}>
            <option value="">all phases</option>
            {run.phases.map((item) => (
              <option key={item.phase}>{item.phase}</option>
            ))}
          </select>
        ) : null}
        <RevisionChoice last={last} chosen={revision} onChoose={setRevision} />
        <select aria-label="Type of artifacts" value={kind} onChange={(event) => setKind(event.target.value)}>
          {shard === null ? <option value="outputs">whole phases only</option> : null}
          <option value="">everything</option>
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {wordsOf(type)}
            </option>
          ))}
        </select>
        <Total list={list} />
      </div>
      <ArtifactRows list={list} isFiltered={name !== "" || chosen !== "" || revision !== null || kind !== ""} />
    </section>
  );
}

type Phases = ReturnType<typeof useRunScope>["run"]["phases"];

/** The highest revision of a phase, the one in the making included; of all phases when none is named. */
function lastRevision(phases: Phases, chosen: string): number {
  return phases.reduce(
    (last, { phase, revision }) => (chosen === "" || phase === chosen ? Math.max(last, revision) : last),
    1,
  );
}

interface RevisionChoiceProps {
  readonly last: number;
  readonly chosen: number | null;
  readonly onChoose: (revision: number | null) => void;
}

/** Which revision to show; nothing where there is but one. */
function RevisionChoice({ last, chosen, onChoose }: RevisionChoiceProps): ReactNode {
  if (last < 2) return null;
  return (
    <select
      aria-label="Revision of artifacts"
      value={chosen !== null && chosen <= last ? chosen : ""}
      onChange={({ target }) => onChoose(target.value === "" ? null : Number(target.value))}
    >
      <option value="">all revisions</option>
      {Array.from({ length: last }, (_, index) => last - index).map((revision) => (
        <option key={revision} value={revision}>
          revision {revision}
        </option>
      ))}
    </select>
  );
}

/** Changes when a phase ends a revision or has made something: then the list is read again. */
function editionOf(phases: Phases): number {
  return phases.reduce((sum, { artifacts, revision, shards, attempts }) => {
    const isSmall = shards.total <= 1; // what many shards leave is read when their phase has ended
    return sum + artifacts.length + revision * 1_000 + (isSmall ? attempts : 0);
  }, 0);
}

function Total({ list: { rows, hasMore } }: { readonly list: ArtifactList }): ReactNode {
  if (rows === undefined || rows.length === 0) return null;
  return (
    <span className="faint">
      {countText(rows.length)}
      {hasMore ? "+" : ""}
    </span>
  );
}

function ArtifactRows({ list, isFiltered }: { readonly list: ArtifactList; readonly isFiltered: boolean }): ReactNode {
  const { rows, error, loadMore } = list;
  const { artifact: chosen, openArtifact } = useSelection();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows?.length ?? 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows !== undefined && lastShown > rows.length - 50) loadMore();
  }, [rows, lastShown, loadMore]);
  if (error !== undefined) return <ErrorState error={error} onRetry={list.reload} />;
  if (rows === undefined) return <LoadingState label="Loading the artifacts" />;
  if (rows.length === 0) return <EmptyState title={isFiltered ? "No artifact is like that" : "No artifacts yet"} />;
  return (
    <div ref={scroller} className="artifact-scroll" tabIndex={0} role="group" aria-label="List of artifacts">
      <ul className="artifact-canvas" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row: ArtifactRecord | undefined = rows[item.index];
          return row === undefined ? null : (
            <ArtifactLine
              key={row.artifact_id}
              row={row}
              topPx={item.start}
              isChosen={row.artifact_id === chosen}
              onChoose={() => openArtifact(row)}
            />
          );
        })}
      </ul>
    </div>
  );
}
