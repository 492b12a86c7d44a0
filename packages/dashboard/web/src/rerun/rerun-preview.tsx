import type { RerunResult } from "@fanfold/schemas";
import type { ReactNode } from "react";
import type { RerunPreview } from "./use-rerun-preview.ts";
import { ErrorState, LoadingState } from "../ui/states.tsx";

/** Kept phases that are named one by one. */
const MAX_KEPT = 20;

/** What a rerun runs, may run and keeps, and why; or what keeps it from being done. */
export function RerunPreviewList({ preview, error }: RerunPreview): ReactNode {
  return (
    <section className="rerun-preview" aria-label="Preview" aria-live="polite" tabIndex={0}>
      {error === undefined ? null : <ErrorState error={error} />}
      {preview === undefined && error === undefined ? <LoadingState label="Asking what would run" lines={3} /> : null}
      {preview === undefined ? null : <Outcome preview={preview} />}
    </section>
  );
}

function Outcome({ preview }: { readonly preview: RerunResult }): ReactNode {
  const { steps, kept, problems, plan_diff: diff } = preview;
  if (problems.length > 0) {
    return (
      <ul className="rerun-problems">
        {problems.map(({ message }) => (
          <li key={message} className="problem-text">
            {message}
          </li>
        ))}
      </ul>
    );
  }
  if (steps.length === 0 && diff === null) return <p>Everything is up to date: there is nothing to run.</p>;
  const rest = kept.length - MAX_KEPT;
  return (
    <table className="rerun-table">
      <caption className="unseen">What would run</caption>
      <tbody>
        {steps.map(({ phase, kind, why }) => (
          <Row key={phase} look={kind} what={kind === "run" ? "runs" : "may run"} phase={phase}>
            {kind === "run" ? why : `${why}; kept if its inputs are the same`}
          </Row>
        ))}
        {(diff?.removed ?? []).map((phase) => (
          <Row key={phase} look="gone" what="gone" phase={phase}>
            the plan no longer has it
          </Row>
        ))}
        {kept.slice(0, MAX_KEPT).map(({ phase, revision, stale }) => (
          <Row key={phase} look="kept" what="kept" phase={phase}>
            revision {revision}
            {stale ? ", stale" : ""}
          </Row>
        ))}
        {rest > 0 ? (
          <Row look="kept" what="kept" phase={`and ${rest} more`}>
            {null}
          </Row>
        ) : null}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly look: string;
  readonly what: string;
  readonly phase: string;
  readonly children: ReactNode;
}

function Row({ look, what, phase, children }: RowProps): ReactNode {
  return (
    <tr className={`rerun-${look}`}>
      <td>{what}</td>
      <th scope="row">{phase}</th>
      <td>{children}</td>
    </tr>
  );
}
