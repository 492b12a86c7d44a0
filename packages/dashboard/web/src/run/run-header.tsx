import type { ReactNode } from "react";
import type { RunDetail } from "../api/shapes.ts";
import type { LiveState } from "../api/live-stream.ts";
import { cliCommand } from "../format/cli-command.ts";
import { countText, durationText, wordsOf } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { Link, navigate } from "../routing/navigation.tsx";
import { LiveLabel } from "../shell/live-label.tsx";
import { ActionButton } from "../ui/action-button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ShardBar } from "../ui/progress-bar.tsx";
import { StatusBadge } from "../ui/status-icon.tsx";
import { TimeLabel } from "../ui/time-label.tsx";
import { RerunButton } from "../rerun/rerun-button.tsx";
import { cancelAction, holdAction, removeAction, retryAction } from "./run-actions.tsx";
import { useSelection } from "./run-context.tsx";

interface HeaderProps {
  readonly run: RunDetail;
  readonly state: LiveState;
  readonly reload: () => void;
}

/** Where a run stands, and what can be done. */
export function RunHeader({ run, state, reload }: HeaderProps): ReactNode {
  const staleCount = run.phases.filter(({ is_stale: isStale }) => isStale).length;
  return (
    <header className="run-header">
      <p className="crumbs">
        <Link to="/">Runs</Link> / <Link to={`/?plan=${encodeURIComponent(run.plan_id ?? "")}`}>{run.plan_id}</Link>
      </p>
      <div className="page-head">
        <h1>{run.plan_id}</h1>
        <StatusBadge status={run.status} isPaused={run.is_paused} />
        {staleCount === 0 ? null : (
          <span className="tag tag-warning">{staleCount === 1 ? "1 phase is" : `${staleCount} phases are`} stale</span>
        )}
        <LiveLabel state={state} />
        <span className="push" />
        <RunButtons run={run} reload={reload} />
      </div>
      <p className="run-id">
        <code>{run.run_id}</code>
        <CopyButton text={run.run_id} label="Copy id" />
        <CopyButton text={cliCommand("watch", run.run_id)} label="Copy as command" />
      </p>
      <RunFigures run={run} />
      <RunQuestion run={run} />
      <RunProblem run={run} />
    </header>
  );
}

function RunButtons({ run, reload }: { readonly run: RunDetail; readonly reload: () => void }): ReactNode {
  const isOver = run.finished_at_ms !== null;
  const { run_id: runId } = run;
  const isOutdated = run.phases.some(({ is_stale: isStale }) => isStale) || run.status === "failed";
  const isRetryable = run.shards.failed > 0 && run.status !== "cancelled";
  return (
    <div className="actions" role="group" aria-label="Actions">
      {isRetryable ? <ActionButton action={retryAction(runId, null)} onDone={reload} className="primary" /> : null}
      {isOutdated && run.status !== "cancelled" ? <RerunButton runId={runId} phase={null} onDone={reload} /> : null}
      {isOver ? null : <ActionButton action={holdAction(runId, run.is_paused)} onDone={reload} />}
      {isOver ? null : <ActionButton action={cancelAction(runId)} onDone={reload} />}
      {isOver ? <ActionButton action={removeAction(runId)} onDone={() => navigate("/", { isReplaced: true })} /> : null}
    </div>
  );
}

function RunFigures({ run }: { readonly run: RunDetail }): ReactNode {
  const isRunning = run.status === "running";
  const nowMs = useNow(true);
  const wallMs = isRunning && run.started_at_ms !== null ? nowMs - run.started_at_ms : run.wall_time_sec * 1_000;
  const { percent, eta_sec: etaSec } = run.progress;
  return (
    <>
      <div className="run-progress">
        <ShardBar counts={run.shards} label="shards of the run" />
        <span className="progress-text">
          {percent === null ? "" : `${Math.floor(percent)} % · `}
          {countText(run.shards.succeeded)} of {countText(run.shards.total)} shards
        </span>
      </div>
      <dl className="figures">
        <Figure title="Time">{run.started_at_ms === null ? "–" : durationText(wallMs)}</Figure>
        {isRunning && etaSec !== null ? <Figure title="Left">{durationText(etaSec * 1_000)}</Figure> : null}
        <Figure title="Started">
          <TimeLabel atMs={run.started_at_ms} nowMs={nowMs} />
        </Figure>
        <Figure title="Attempts">{countText(run.attempts)}</Figure>
        <Figure title="Retries">{countText(run.retries)}</Figure>
        {run.lost === 0 ? null : <Figure title="Lost">{countText(run.lost)}</Figure>}
        {run.speedup_vs_serial === null ? null : <Figure title="Speed-up">{run.speedup_vs_serial.toFixed(1)}×</Figure>}
        <Figure title="Critical path">{durationText(run.critical_path_sec * 1_000)}</Figure>
        {run.cost_estimate_usd === null ? null : <Figure title="Cost">${run.cost_estimate_usd.toFixed(2)}</Figure>}
      </dl>
    </>
  );
}

function Figure({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The first phase that waits for a person, with a way to the answer. */
function RunQuestion({ run }: { readonly run: RunDetail }): ReactNode {
  const { select } = useSelection();
  const [first, ...others] = run.phases.filter(({ approval }) => approval !== null);
  if (first === undefined) return null;
  return (
    <div className="banner banner-warning">
      <p>
        <strong>{first.phase}</strong> waits for an approval
        {first.approval?.message === null ? "" : `: ${first.approval?.message}`}
        {others.length === 0 ? "" : ` (and ${others.length} more)`}
      </p>
      <button type="button" className="small" onClick={() => select(first.phase)}>
        Answer
      </button>
    </div>
  );
}

/** The first thing that went wrong for good, with a way to it. */
function RunProblem({ run }: { readonly run: RunDetail }): ReactNode {
  const { select } = useSelection();
  const problems = run.phases.flatMap(({ problem }) => (problem === null ? [] : [problem]));
  const problem = problems.find(({ is_final: isFinal }) => isFinal) ?? problems[0];
  if (run.cause !== null) return <p className="banner banner-failed">{wordsOf(run.cause.code)}</p>;
  if (problem === undefined || run.status === "succeeded") return null;
  return (
    <div className={`banner ${problem.is_final ? "banner-failed" : "banner-warning"}`}>
      <p>
        <strong>
          {problem.phase}
          {problem.shard === null ? "" : `[${problem.shard}]`}
        </strong>{" "}
        {problem.why}
        {problem.is_final ? "" : " (is tried again)"}
      </p>
      <button type="button" className="small" onClick={() => select(problem.phase, problem.shard)}>
        {problem.shard === null ? "Show phase" : "Show log"}
      </button>
    </div>
  );
}
