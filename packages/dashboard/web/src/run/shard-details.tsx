import type { AttemptDocument, ShardDetail } from "@fanfold/schemas";
import { type ReactNode, useEffect } from "react";
import { ArtifactsView } from "../artifacts/artifacts-view.tsx";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { bytesText, durationText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { LogViewer } from "../log/log-viewer.tsx";
import { Link, useSearch } from "../routing/navigation.tsx";
import { shardPath } from "../routing/route.ts";
import { ActionButton } from "../ui/action-button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { StatusBadge } from "../ui/status-icon.tsx";
import { type Tab, Tabs } from "../ui/tabs.tsx";
import { DefinitionView } from "./definition-view.tsx";
import { EventsView } from "./events-view.tsx";
import { cancelAction, retryAction } from "./run-actions.tsx";
import { useRunScope } from "./run-context.tsx";
import { SpawnedList } from "./spawned-list.tsx";

const TABS: readonly Tab[] = [
  { id: "log", title: "Log" },
  { id: "attempts", title: "Attempts" },
  { id: "artifacts", title: "Artifacts" },
  { id: "events", title: "Events" },
  { id: "definition", title: "Definition" },
];

interface ShardDetailsProps {
  readonly phase: string;
  readonly shard: number;
  /** Whether it has a page to itself. */
  readonly isPage?: boolean;
}

/** A shard: its log, attempts and events. */
export function ShardDetails({ phase, shard, isPage = false }: ShardDetailsProps): ReactNode {
  const { run, feed } = useRunScope();
  const [search, change] = useSearch();
  const { data, error, reload } = useResource<ShardDetail>(
    apiPath(["runs", run.run_id, "phases", phase, "shards", shard]),
  );
  useEffect(
    () =>
      feed((lines) => {
        const isOurs = lines.some((line) => line.phase === phase && (line.shard === shard || line.shard === null));
        if (isOurs) reload();
      }),
    [feed, phase, shard, reload],
  );
  const tab = TABS.find(({ id }) => id === search.get("detail"))?.id ?? "log";
  if (data === undefined)
    return error === undefined ? (
      <LoadingState label="Loading the shard" />
    ) : (
      <ErrorState error={error} onRetry={reload} />
    );
  const attempts = data.history;
  const asked = Number(search.get("attempt") ?? 0);
  const attempt = attempts.find((item) => item.attempt === asked) ?? attempts.at(-1);
  return (
    <>
      <ShardHead phase={phase} shard={data} isPage={isPage} />
      <Tabs label="Details of the shard" tabs={TABS} selected={tab} onSelect={(id) => change({ detail: id })} />
      <div className={`drawer-body ${tab === "log" ? "is-log" : ""}`}>
        {tab === "log" ? <AttemptLog phase={phase} shard={shard} attempts={attempts} attempt={attempt} /> : null}
        {tab === "attempts" ? <Attempts attempts={attempts} /> : null}
        {tab === "artifacts" ? <ArtifactsView phase={phase} shard={shard} /> : null}
        {tab === "events" ? <EventsView phase={phase} shard={shard} /> : null}
        {tab === "definition" ? <DefinitionView phase={phase} /> : null}
      </div>
    </>
  );
}

interface HeadProps {
  readonly phase: string;
  readonly shard: ShardDetail;
  readonly isPage: boolean;
}

function ShardHead({ phase, shard, isPage }: HeadProps): ReactNode {
  const { status, failure, output, reused_from: from } = shard;
  return (
    <div className="shard-summary">
      <p className="drawer-line">
        <StatusBadge status={status} />
        {shard.worker === null ? null : <span className="faint">on {shard.worker}</span>}
        {from === null ? null : (
          <span className="faint">
            reused from{" "}
            <Link to={shardPath(from.run_id, from.phase, from.shard)}>
              {from.run_id}/{from.phase}[{from.shard}]
            </Link>
          </span>
        )}
        {output === null ? null : <span className="faint">output {bytesText(output.size_bytes)}</span>}
      </p>
      <SpawnedList
        items={shard.spawned.map(({ child, key, attempt, reason }) => ({
          phase: child,
          why: `${key}, by attempt ${attempt}${reason === null ? "" : `: ${reason}`}`,
        }))}
      />
      {failure === null ? null : (
        <p className="problem-text">
          {failure.why}
          {failure.next_action === undefined ? null : <span className="faint"> {failure.next_action}</span>}
        </p>
      )}
      <ShardActions phase={phase} shard={shard} isPage={isPage} />
    </div>
  );
}

function ShardActions({ phase, shard, isPage }: HeadProps): ReactNode {
  const { run, reload } = useRunScope();
  const { status, job_url: jobUrl } = shard;
  const isOpen = status === "running" || status === "backoff" || status === "spawned" || status === "waiting";
  return (
    <div className="actions">
      {status === "failed" && run.status !== "cancelled" ? (
        <ActionButton
          action={retryAction(run.run_id, phase, [shard.shard])}
          onDone={reload}
          className="primary small"
        />
      ) : null}
      {isOpen && run.finished_at_ms === null ? (
        <ActionButton action={cancelAction(run.run_id, phase, shard.shard)} onDone={reload} className="small" />
      ) : null}
      {isPage ? null : (
        <Link className="button small" to={shardPath(run.run_id, phase, shard.shard)}>
          Full page
        </Link>
      )}
      {jobUrl === null ? null : (
        <a className="button small" href={jobUrl}>
          Job in Bull Board
        </a>
      )}
    </div>
  );
}

interface AttemptLogProps {
  readonly phase: string;
  readonly shard: number;
  readonly attempts: readonly AttemptDocument[];
  readonly attempt: AttemptDocument | undefined;
}

function AttemptLog({ phase, shard, attempts, attempt }: AttemptLogProps): ReactNode {
  const { run } = useRunScope();
  const [, change] = useSearch();
  if (attempt === undefined) return <EmptyState title="Not started yet, so there is no log" />;
  const place = ["runs", run.run_id, "phases", phase, "shards", shard, "attempts", attempt.attempt, "log"];
  const chooser =
    attempts.length < 2 ? null : (
      <select
        aria-label="Attempt"
        value={attempt.attempt}
        onChange={(event) => change({ attempt: event.target.value, line: null })}
      >
        {attempts.map((item) => (
          <option key={item.attempt} value={item.attempt}>
            attempt {item.attempt}, {item.status}
          </option>
        ))}
      </select>
    );
  return <LogViewer key={attempt.attempt} place={place} isOver={attempt.status !== "running"} chooser={chooser} />;
}

function Attempts({ attempts }: { readonly attempts: readonly AttemptDocument[] }): ReactNode {
  const [, change] = useSearch();
  const nowMs = useNow(attempts.some(({ status }) => status === "running"));
  if (attempts.length === 0) return <EmptyState title="No attempts yet" />;
  return (
    <ol className="attempts">
      {attempts
        .toReversed()
        .map(({ attempt, status, worker, started_at_ms: startedMs, finished_at_ms: finishedMs, failure }) => (
          <li key={attempt}>
            <p className="drawer-line">
              <strong>Attempt {attempt}</strong>
              <StatusBadge status={status} />
              <span className="faint">
                {startedMs === null ? "" : durationText((finishedMs ?? nowMs) - startedMs)}{" "}
                {worker === null ? "" : `on ${worker}`}
              </span>
              <span className="push" />
              <button
                type="button"
                className="small"
                onClick={() => change({ detail: null, attempt: String(attempt) })}
              >
                Log
              </button>
            </p>
            {failure === null ? null : <p className="problem-text">{failure.why}</p>}
          </li>
        ))}
    </ol>
  );
}
