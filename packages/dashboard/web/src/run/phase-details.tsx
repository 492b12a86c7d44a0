import type { Why } from "@fanfold/core";
import type { ReactNode } from "react";
import { ArtifactsView } from "../artifacts/artifacts-view.tsx";
import { LineageButton } from "../lineage/lineage-button.tsx";
import { apiPath } from "../api/client.ts";
import type { PhaseDetail } from "../api/shapes.ts";
import { useResource } from "../api/use-resource.ts";
import { bytesText, countText, durationText, wordsOf } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { useSearch } from "../routing/navigation.tsx";
import { ActionButton } from "../ui/action-button.tsx";
import { countsText, ShardBar } from "../ui/progress-bar.tsx";
import { StatusBadge } from "../ui/status-icon.tsx";
import { StaleTag } from "../ui/stale-tag.tsx";
import { type Tab, Tabs } from "../ui/tabs.tsx";
import { RerunButton } from "../rerun/rerun-button.tsx";
import { RevisionsView } from "../rerun/revisions-view.tsx";
import { ApprovalForm } from "./approval-form.tsx";
import { DefinitionView } from "./definition-view.tsx";
import { EventsView } from "./events-view.tsx";
import { phaseTime } from "./phases-view.tsx";
import { shownStatus } from "./phase-status.ts";
import { cancelAction, retryAction } from "./run-actions.tsx";
import { useRunScope, useSelection } from "./run-context.tsx";
import { childrenOf, countAwaited, SpawnedBy, SpawnedList } from "./spawned-list.tsx";

const TABS: readonly Tab[] = [
  { id: "overview", title: "Overview" },
  { id: "events", title: "Events" },
  { id: "outputs", title: "Artifacts" },
  { id: "revisions", title: "Revisions" },
  { id: "definition", title: "Definition" },
];

/** A phase in the drawer. */
export function PhaseDetails({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const [search, change] = useSearch();
  const tab = TABS.find(({ id }) => id === search.get("detail"))?.id ?? "overview";
  return (
    <>
      <Tabs label="Details of the phase" tabs={TABS} selected={tab} onSelect={(id) => change({ detail: id })} />
      <div className="drawer-body">
        {tab === "overview" ? <Overview phase={phase} /> : null}
        {tab === "events" ? <EventsView phase={phase.phase} shard={null} /> : null}
        {tab === "outputs" ? <ArtifactsView phase={phase.phase} /> : null}
        {tab === "revisions" ? <RevisionsView phase={phase} /> : null}
        {tab === "definition" ? <DefinitionView phase={phase.phase} /> : null}
      </div>
    </>
  );
}

function Overview({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { run, reload } = useRunScope();
  const nowMs = useNow(phase.status === "running");
  return (
    <>
      <p className="drawer-line">
        <StatusBadge status={shownStatus(phase)} />
        {countAwaited(run, phase) === 0 ? null : <StatusBadge status="spawned" />}
        <StaleTag phase={phase} isLong />
        {phase.revision > 1 ? <span className="tag">revision {phase.revision}</span> : null}
        {run.critical_path.includes(phase.phase) ? <span className="tag">on the critical path</span> : null}
      </p>
      {phase.shards.total > 0 ? (
        <p>
          <ShardBar counts={phase.shards} label="shards" />
          <span className="faint">{countsText(phase.shards)}</span>
        </p>
      ) : null}
      <ApprovalForm phase={phase} />
      <SpawnedBy phase={phase.phase} />
      <PhaseReasons phase={phase} />
      <SpawnedList items={childrenOf(run, phase.phase)} />
      <dl className="facts">
        <Fact title="Time">{phaseTime(phase, nowMs) || "–"}</Fact>
        <Fact title="Work">{durationText(phase.serial_time_sec * 1_000)}</Fact>
        <Fact title="Attempts">{countText(phase.attempts)}</Fact>
        <Fact title="Retries">{countText(phase.retries)}</Fact>
        {phase.lost === 0 ? null : <Fact title="Lost">{countText(phase.lost)}</Fact>}
        {phase.reused_shards === 0 ? null : <Fact title="Reused">{countText(phase.reused_shards)}</Fact>}
        {phase.tolerated_shards === 0 ? null : <Fact title="Left out">{countText(phase.tolerated_shards)}</Fact>}
        <Fact title="Depends on">{phase.depends_on.join(", ") || "nothing"}</Fact>
        {phase.artifacts.map(({ name, size_bytes: sizeBytes }) => (
          <Fact key={name} title={name}>
            {bytesText(sizeBytes)}
          </Fact>
        ))}
      </dl>
      <div className="actions">
        {phase.shards.failed > 0 ? (
          <ActionButton action={retryAction(run.run_id, phase.phase)} onDone={reload} className="primary" />
        ) : null}
        {phase.status === "running" ? (
          <ActionButton action={cancelAction(run.run_id, phase.phase)} onDone={reload} />
        ) : null}
        {isRunnableAgain(phase, run.status) ? (
          <RerunButton runId={run.run_id} phase={phase.phase} onDone={reload} />
        ) : null}
        {phase.revision === 0 ? null : <LineageButton of={phase.phase} />}
        <AllShardsButton phase={phase} />
      </div>
      <OpenShards phase={phase} />
    </>
  );
}

/** Whether there is something to run again: a phase that is over, in a run that may go on. */
function isRunnableAgain({ status }: PhaseDetail, runStatus: string): boolean {
  return ["succeeded", "failed", "skipped", "cancelled"].includes(status) && runStatus !== "cancelled";
}

function Fact({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </>
  );
}

function AllShardsButton({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const [search, change] = useSearch();
  if (phase.shards.total === 0 || search.get("view") === "phases") return null;
  return (
    <button type="button" onClick={() => change({ view: "phases" })}>
      {phase.shards.total === 1 ? "Its shard" : `All ${countText(phase.shards.total)} shards`}
    </button>
  );
}

const MAX_REASONS = 8;
const SHOWN_ELSEWHERE: ReadonlySet<string> = new Set(["running", "waits_for_approval"]);

/** Why a phase does not run, or what went wrong. */
function PhaseReasons({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { run } = useRunScope();
  const isOpen = phase.status === "pending" || phase.status === "blocked" || phase.status === "running";
  const path = isOpen ? apiPath(["runs", run.run_id, "why"], { phase: phase.phase }) : null;
  const { data } = useResource<readonly Why[]>(path, 3_000);
  const reasons = (isOpen ? (data ?? []) : []).filter(({ code }) => !SHOWN_ELSEWHERE.has(code));
  return (
    <>
      {phase.problem === null ? null : <p className="problem-text">{phase.problem.why}</p>}
      {phase.cause === null ? null : <p>{causeText(phase)}</p>}
      {reasons.length === 0 ? null : (
        <ul className="reasons" aria-label="Why it is not running">
          {reasons.slice(0, MAX_REASONS).map(({ shards, code, why }, index) => (
            <li key={`${code} ${index}`}>
              {shards === null ? "" : `${shardsText(shards)}: `}
              {why}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Shards that share a reason: `[3]`, or `12 shards ([0], [1], …)`. */
function shardsText({ count, first }: NonNullable<Why["shards"]>): string {
  const named = first.slice(0, 3).map((shard) => `[${shard}]`);
  if (count === 1) return named.join("");
  return `${countText(count)} shards (${named.join(", ")}${count > named.length ? ", …" : ""})`;
}

/** Why a phase was skipped, cancelled or blocked, as words. */
export function causeText({ cause, missing, status }: PhaseDetail): string {
  if (cause === null) return "";
  const lacks = missing.length === 0 ? "" : `; lacks the output of ${missing.join(", ")}`;
  return `${status}: ${wordsOf(cause.code)}${cause.phase === null ? "" : ` (${cause.phase})`}${lacks}`;
}

const MAX_OPEN = 20;

/** What runs, waits to be tried again, or failed. */
function OpenShards({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { select } = useSelection();
  const shards = [...phase.open_shards].sort((a, b) => a.status.localeCompare(b.status)).slice(0, MAX_OPEN);
  const chosen =
    shards.length === 0 && phase.shards.total === 1 ? [{ shard: 0, status: phase.status, problem: null }] : shards;
  if (chosen.length === 0) return null;
  return (
    <>
      <h3>Shards</h3>
      <ul className="open-shards">
        {chosen.map(({ shard, status, problem }) => (
          <li key={shard}>
            <button type="button" className="open-shard" onClick={() => select(phase.phase, shard)}>
              <StatusBadge status={status} />
              <span className="mono">[{shard}]</span>
              <span className="cut faint">{problem?.why ?? ""}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
