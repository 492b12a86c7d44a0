import type { ShardRow } from "@fanfold/schemas";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { PhaseDetail } from "../api/shapes.ts";
import { countText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { ActionButton } from "../ui/action-button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { cancelAction, retryAction } from "./run-actions.tsx";
import { useRunScope, useSelection } from "./run-context.tsx";
import { ShardLine } from "./shard-line.tsx";
import { type LiveShards, type ShardQuery, useShards } from "./use-shards.ts";

const STATUSES = ["failed", "running", "backoff", "spawned", "waiting", "succeeded", "cancelled"] as const;
const ROW_HEIGHT_PX = 34;

/** The shards of a phase: ten thousand rows stay usable, because only those in sight are drawn. */
export function ShardTable({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { run, feed, reload } = useRunScope();
  const [query, setQuery] = useState<ShardQuery>({ status: "", text: "", sort: "index", order: "asc" });
  const [marked, setMarked] = useState<ReadonlySet<number>>(new Set());
  const shards = useShards({ runId: run.run_id, phase: phase.phase }, query, feed);
  const toggle = (shard: number): void => {
    const next = new Set(marked);
    if (!next.delete(shard)) next.add(shard);
    setMarked(next);
  };
  const isOver = phase.finished_at_ms !== null;
  const done = (): void => {
    setMarked(new Set());
    reload();
  };
  return (
    <section className="shard-table" aria-label={`Shards of ${phase.phase}`}>
      <div className="shard-tools">
        <ShardFilter query={query} phase={phase} onChange={setQuery} />
        <span className="push" />
        {marked.size > 0 ? (
          <ActionButton
            action={retryAction(
              run.run_id,
              phase.phase,
              [...marked].sort((a, b) => a - b),
            )}
            onDone={done}
            className="primary small"
          />
        ) : null}
        {phase.shards.failed > 0 ? (
          <ActionButton action={retryAction(run.run_id, phase.phase)} onDone={done} className="small" />
        ) : null}
        {isOver || phase.status !== "running" ? null : (
          <ActionButton action={cancelAction(run.run_id, phase.phase)} onDone={reload} className="small" />
        )}
      </div>
      <SortHead query={query} onChange={setQuery} />
      <ShardRows shards={shards} marked={marked} onToggle={toggle} phase={phase.phase} />
    </section>
  );
}

interface FilterProps {
  readonly query: ShardQuery;
  readonly phase: PhaseDetail;
  readonly onChange: (query: ShardQuery) => void;
}

function ShardFilter({ query, phase, onChange }: FilterProps): ReactNode {
  const { shards } = phase;
  return (
    <>
      <input
        type="search"
        aria-label="Search shards by index, worker or problem"
        placeholder="Index, worker, problem ( / )"
        value={query.text}
        onChange={(event) => onChange({ ...query, text: event.target.value })}
      />
      <select
        aria-label="Status of shards"
        value={query.status}
        onChange={(event) => onChange({ ...query, status: event.target.value })}
      >
        <option value="">all {countText(shards.total)}</option>
        {STATUSES.map((status) => (
          <option key={status} value={status}>
            {status} {status === "spawned" ? "" : countText(shards[status])}
          </option>
        ))}
      </select>
    </>
  );
}

const COLUMNS = [
  { title: "", sort: null },
  { title: "Shard", sort: "index" },
  { title: "Status", sort: null },
  { title: "Time", sort: "duration" },
  { title: "Attempts", sort: "attempts" },
  { title: "Worker", sort: null },
  { title: "Problem", sort: null },
] as const;

function SortHead({ query, onChange }: Pick<FilterProps, "query" | "onChange">): ReactNode {
  const sortBy = (sort: ShardQuery["sort"]): void => {
    const isSame = query.sort === sort;
    const first = sort === "index" ? "asc" : "desc";
    onChange({ ...query, sort, order: isSame ? (query.order === "asc" ? "desc" : "asc") : first });
  };
  return (
    <div className="shard-row shard-head">
      {COLUMNS.map(({ title, sort }) => (
        <span key={title}>
          {sort === null ? (
            title
          ) : (
            <button
              type="button"
              className="sort"
              aria-label={`Sort by ${title.toLowerCase()}`}
              aria-pressed={query.sort === sort}
              onClick={() => sortBy(sort)}
            >
              {title} {query.sort === sort ? (query.order === "asc" ? "▲" : "▼") : ""}
            </button>
          )}
        </span>
      ))}
    </div>
  );
}

interface RowsProps {
  readonly shards: LiveShards;
  readonly phase: string;
  readonly marked: ReadonlySet<number>;
  readonly onToggle: (shard: number) => void;
}

function ShardRows({ shards, phase, marked, onToggle }: RowsProps): ReactNode {
  const { rows, total, error, loadMore } = shards;
  const scroller = useRef<HTMLDivElement>(null);
  const { shard: chosen, select } = useSelection();
  const nowMs = useNow(true);
  const virtual = useVirtualizer({
    count: rows?.length ?? 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows !== undefined && lastShown > rows.length - 200) loadMore();
  }, [rows, lastShown, loadMore]);
  if (error !== undefined) return <ErrorState error={error} />;
  if (rows === undefined) return <LoadingState label="Loading the shards" lines={6} />;
  if (rows.length === 0) return <EmptyState title={total === 0 ? "No shards here" : "No shard is like that"} />;
  return (
    <div ref={scroller} className="shard-scroll" tabIndex={0} role="group" aria-label="Rows">
      <div className="shard-canvas" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row: ShardRow | undefined = rows[item.index];
          return row === undefined ? null : (
            <ShardLine
              key={row.shard}
              row={row}
              nowMs={nowMs}
              topPx={item.start}
              isChosen={row.shard === chosen}
              isMarked={marked.has(row.shard)}
              onMark={() => onToggle(row.shard)}
              onChoose={() => select(phase, row.shard)}
            />
          );
        })}
      </div>
    </div>
  );
}
