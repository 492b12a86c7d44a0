import type { RevisionDocument } from "@fanfold/schemas";
import { type ReactNode, useEffect, useState } from "react";
import { apiPath } from "../api/client.ts";
import type { PhaseDetail } from "../api/shapes.ts";
import { useResource } from "../api/use-resource.ts";
import { cliCommand } from "../format/cli-command.ts";
import { bytesText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { useRunScope } from "../run/run-context.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { StatusBadge } from "../ui/status-icon.tsx";
import { TimeLabel } from "../ui/time-label.tsx";
import { DiffView } from "./diff-view.tsx";
import "./rerun.css";

/** The revisions of a phase, and how two of them differ. */
export function RevisionsView({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { run } = useRunScope();
  const path = apiPath(["runs", run.run_id, "history"], { phase: phase.phase });
  const { data, error, reload } = useResource<readonly RevisionDocument[]>(path);
  // the journal brings the news, the history is read again then
  useEffect(reload, [reload, phase.revision, phase.status, phase.stale_cause]);
  if (data === undefined) {
    return error === undefined ? <LoadingState label="Loading the revisions" /> : <ErrorState error={error} />;
  }
  if (data.length === 0) return <EmptyState title="It has not run yet" />;
  const accepted = data.filter(({ status }) => status === "superseded" || status === "succeeded");
  return (
    <>
      <ol className="revisions" aria-label="Revisions" reversed>
        {data.toReversed().map((revision) => (
          <Revision key={`${revision.revision} ${revision.status}`} revision={revision} />
        ))}
      </ol>
      {accepted.length < 2 ? (
        <p className="faint">There is nothing to compare yet: a rerun makes the next revision.</p>
      ) : (
        <Comparison phase={phase.phase} revisions={accepted.map(({ revision }) => revision)} />
      )}
    </>
  );
}

function Revision({ revision }: { readonly revision: RevisionDocument }): ReactNode {
  const { revision: number, status, dependencies, artifacts, summary, completed_at: at } = revision;
  const { stale_cause: cause, error } = revision;
  const nowMs = useNow(true);
  const inputs = dependencies.filter((one) => one.revision > 0).map((one) => `${one.phase} r${one.revision}`);
  return (
    <li>
      <p className="drawer-line">
        <strong>r{number}</strong>
        {status === "superseded" ? <span className="tag">superseded</span> : <StatusBadge status={status} />}
        {cause === null ? null : <span className="tag tag-warning">stale: {cause}</span>}
        {summary === null ? null : <span className="faint">{summary}</span>}
        <span className="push" />
        <span className="faint">
          <TimeLabel atMs={at === null ? null : Date.parse(at)} nowMs={nowMs} />
        </span>
      </p>
      {error === null ? null : <p className="problem-text">{error}</p>}
      <p className="faint">
        {inputs.length === 0 ? "" : `made from ${inputs.join(", ")} · `}
        {artifacts.map(({ name, size_bytes, sha256 }) => (
          <span key={name} title={`sha256 ${sha256}`}>
            {name} {bytesText(size_bytes)} <code>{sha256.slice(0, 8)}</code>{" "}
          </span>
        ))}
      </p>
    </li>
  );
}

interface ComparisonProps {
  readonly phase: string;
  /** Accepted revisions, oldest first; at least two. */
  readonly revisions: readonly number[];
}

function Comparison({ phase, revisions }: ComparisonProps): ReactNode {
  const { run } = useRunScope();
  const [chosen, setChosen] = useState<{ readonly from?: number; readonly to?: number }>({});
  const to = chosen.to ?? revisions.at(-1) ?? 0;
  const from = chosen.from ?? revisions.findLast((one) => one < to) ?? revisions[0] ?? 0;
  const command = cliCommand("diff", run.run_id, `${phase}@r${from}`, `${phase}@r${to}`);
  return (
    <section aria-labelledby="comparison" className="comparison">
      <div className="drawer-line">
        <h3 id="comparison">Compare</h3>
        <RevisionChoice
          label="Old revision"
          revisions={revisions}
          value={from}
          onChoose={(one) => setChosen({ to, from: one })}
        />
        <span aria-hidden="true">→</span>
        <RevisionChoice
          label="New revision"
          revisions={revisions}
          value={to}
          onChoose={(one) => setChosen({ from, to: one })}
        />
        <span className="push" />
        <CopyButton text={command} label="Copy as command" />
      </div>
      <DiffView path={apiPath(["runs", run.run_id, "diff"], { phase, from, to })} />
    </section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly revisions: readonly number[];
  readonly value: number;
  readonly onChoose: (revision: number) => void;
}

function RevisionChoice({ label, revisions, value, onChoose }: ChoiceProps): ReactNode {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChoose(Number(event.target.value))}>
      {revisions.map((revision) => (
        <option key={revision} value={revision}>
          r{revision}
        </option>
      ))}
    </select>
  );
}
