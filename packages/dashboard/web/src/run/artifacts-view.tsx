import type { ArtifactDocument } from "@fanfold/schemas";
import { type ReactNode, useEffect, useState } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { bytesText } from "../format/format-text.ts";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { useRunScope } from "./run-context.tsx";

const PREVIEW_BYTES = 65_536;

/** Accepted outputs of the run, or of one of its phases. */
export function ArtifactsView({ phase }: { readonly phase: string | null }): ReactNode {
  const { run } = useRunScope();
  const [shown, setShown] = useState<string | null>(null);
  const produced = run.phases.reduce((sum, { artifacts }) => sum + artifacts.length, 0);
  const { data, error, reload } = useResource<readonly ArtifactDocument[]>(apiPath(["runs", run.run_id, "artifacts"]));
  useEffect(reload, [produced, reload]);
  if (error !== undefined) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState label="Loading the artifacts" />;
  const rows = data.filter((row) => phase === null || row.phase === phase);
  if (rows.length === 0) return <EmptyState title="No outputs yet" />;
  return (
    <ul className="artifacts">
      {rows.map((row) => {
        const id = `${row.phase} ${row.name}`;
        return (
          <li key={id}>
            <div className="artifact-line">
              <button
                type="button"
                className="link"
                aria-expanded={shown === id}
                onClick={() => setShown(shown === id ? null : id)}
              >
                {row.name}
              </button>
              <span className="faint">{row.phase}</span>
              <span>{bytesText(row.size_bytes)}</span>
              <span className="mono faint cut" title={row.sha256}>
                {row.sha256.slice(0, 12)}
              </span>
              <a href={artifactPath(run.run_id, row, { download: 1 })} download>
                Download
              </a>
            </div>
            {shown === id ? <Preview runId={run.run_id} row={row} /> : null}
          </li>
        );
      })}
    </ul>
  );
}

function artifactPath(runId: string, { phase, name }: ArtifactDocument, query: Record<string, number>): string {
  return apiPath(["runs", runId, "artifacts", phase, name], query);
}

function Preview({ runId, row }: { readonly runId: string; readonly row: ArtifactDocument }): ReactNode {
  const [text, setText] = useState<string>();
  const isImage = /^image\/(?:png|jpeg|gif|webp)$/.test(row.media_type);
  const path = artifactPath(runId, row, { limit: PREVIEW_BYTES });
  useEffect(() => {
    if (isImage) return;
    fetch(path)
      .then(async (answer) => setText(pretty(await answer.text())))
      .catch(() => setText("could not be read"));
  }, [path, isImage]);
  if (isImage)
    return <img className="artifact-image" src={artifactPath(runId, row, {})} alt={`${row.name} of ${row.phase}`} />;
  return (
    <>
      <pre className="artifact-text" tabIndex={0}>
        {text ?? "…"}
      </pre>
      {row.size_bytes > PREVIEW_BYTES ? (
        <p className="faint">The beginning; the whole is {bytesText(row.size_bytes)}.</p>
      ) : null}
    </>
  );
}

/** One JSON document is indented; anything else stays as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
