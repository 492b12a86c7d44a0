import type { RunListItem } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { countText, durationText } from "../format/format-text.ts";
import { Link } from "../routing/navigation.tsx";
import { runPath } from "../routing/route.ts";
import { removeAction } from "../run/run-actions.tsx";
import { useMayAct } from "../shell/session.tsx";
import { ActionButton } from "../ui/action-button.tsx";
import { PercentBar, ShardBar } from "../ui/progress-bar.tsx";
import { StatusBadge, statusWord } from "../ui/status-icon.tsx";
import { TimeLabel } from "../ui/time-label.tsx";

interface RunRowProps {
  readonly run: RunListItem;
  readonly nowMs: number;
  readonly isSelected: boolean;
  readonly onRemoved: () => void;
}

/** A run in the list. */
export function RunRow({ run, nowMs, isSelected, onRemoved }: RunRowProps): ReactNode {
  const mayAct = useMayAct();
  return (
    <tr className={isSelected ? "is-selected" : ""} data-run={run.run_id}>
      <td className="cell-status">
        <StatusBadge status={run.status} isPaused={run.is_paused} />
        {run.waiting_approvals === 0 ? null : (
          <span className="row-line">
            <span className="tag tag-warning">{statusWord("asking")}</span>
          </span>
        )}
      </td>
      <td className="cell-run">
        <Link to={runPath(run.run_id)} className="run-link">
          <strong>{run.plan_id}</strong> <span className="mono faint">{run.run_id}</span>
        </Link>
        {run.problem === null || run.status === "succeeded" ? null : (
          <span className={`row-problem ${run.status === "failed" ? "" : "is-passing"}`} title={run.problem}>
            {run.problem}
          </span>
        )}
      </td>
      <td className="cell-progress">
        <RunProgress run={run} />
      </td>
      <td className="cell-time">
        {timeOf(run, nowMs)}
        {run.eta_sec === null || run.status !== "running" ? null : (
          <span className="faint row-line">{durationText(run.eta_sec * 1_000)} left</span>
        )}
      </td>
      <td className="cell-tags">
        <span className="tag-list">
          {run.tags.map((tag) => (
            <Link key={tag} to={`/?tag=${encodeURIComponent(tag)}`} className="tag">
              {tag}
            </Link>
          ))}
        </span>
      </td>
      <td className="cell-when">
        <TimeLabel atMs={run.created_at_ms} nowMs={nowMs} />
        {run.submitted_by === null ? null : <span className="faint row-line">by {run.submitted_by}</span>}
      </td>
      <td className="cell-actions">
        {mayAct && run.finished_at_ms !== null ? (
          <ActionButton
            action={removeAction(run.run_id)}
            onDone={onRemoved}
            className="quiet small"
            icon={<RemoveIcon />}
          />
        ) : null}
      </td>
    </tr>
  );
}

function RemoveIcon(): ReactNode {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" className="line-icon">
      <path d="M2.5 4h11M6 4V2.2h4V4M4 4l.6 9.8h6.8L12 4M6.6 6.6v4.6m2.8-4.6v4.6" />
    </svg>
  );
}

function RunProgress({ run }: { readonly run: RunListItem }): ReactNode {
  const { shards, percent, status } = run;
  return (
    <>
      {shards === null || shards.total === 0 ? (
        <PercentBar percent={percent} status={status} />
      ) : (
        <ShardBar counts={shards} label={`shards of ${run.run_id}`} />
      )}
      <span className="progress-text">
        {percent === null ? "" : `${Math.floor(percent)} %`}
        {shards === null ? "" : ` · ${countText(shards.succeeded)}/${countText(shards.total)}`}
      </span>
    </>
  );
}

function timeOf({ started_at_ms: startedMs, finished_at_ms: finishedMs }: RunListItem, nowMs: number): string {
  if (startedMs === null) return "–";
  return durationText((finishedMs ?? nowMs) - startedMs);
}
