import type { ArtifactRecord } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { cliCommand } from "../format/cli-command.ts";
import { bytesText, timeText } from "../format/format-text.ts";
import { LineageButton } from "../lineage/lineage-button.tsx";
import { useRunScope, useSelection } from "../run/run-context.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { placeText, TypeTag } from "./artifact-line.tsx";
import { ArtifactPreview } from "./artifact-preview.tsx";
import { contentPath } from "./use-preview.ts";
import "./artifacts.css";

/** An artifact in the drawer: what is known of it, and the beginning of it. */
export function ArtifactDetails({ id }: { readonly id: string }): ReactNode {
  const { run } = useRunScope();
  const { phase, shard } = useSelection();
  const { data, error, reload } = useResource<ArtifactRecord>(
    apiPath(["runs", run.run_id, "artifact-records", id], { phase, shard }),
  );
  if (error !== undefined) return <ErrorState error={error} onRetry={reload} />;
  if (data === undefined || data.artifact_id !== id) return <LoadingState label="Loading the artifact" />;
  return (
    <div className="drawer-body artifact-details">
      <h3 className="artifact-title">{data.name}</h3>
      <p className="drawer-line">
        <TypeTag row={data} />
        <span>{bytesText(data.size_bytes)}</span>
        <span className="faint">{placeText(data)}</span>
      </p>
      <div className="actions">
        <a className="button small" href={contentPath(data, { download: 1 })} download>
          Download
        </a>
        {isOfPhase(data) ? <LineageButton of={id} className="small" /> : null}
        <CopyButton text={cliCommand("artifacts", "cat", run.run_id, id)} label="Copy as CLI command" />
      </div>
      <ArtifactPreview record={data} />
      <h3>Facts</h3>
      <Facts record={data} />
    </div>
  );
}

/** Lineage knows what phases made as a whole; of the others it would show nothing. */
function isOfPhase({ shard, type }: ArtifactRecord): boolean {
  return shard === null && type !== "log" && type !== "error_context";
}

function Facts({ record }: { readonly record: ArtifactRecord }): ReactNode {
  const metadata = Object.entries(record.metadata);
  return (
    <dl className="facts">
      <dt>Media type</dt>
      <dd>{record.media_type}</dd>
      <dt>Made</dt>
      <dd>{record.created_at === null ? "–" : timeText(Date.parse(record.created_at), Date.now())}</dd>
      <dt>Id</dt>
      <dd className="mono">{record.artifact_id}</dd>
      <dt>sha256</dt>
      <dd className="mono">{record.sha256}</dd>
      <dt>Kept in</dt>
      <dd className="mono">{record.location}</dd>
      {metadata.map(([name, value]) => (
        <Meta key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Meta({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
    </>
  );
}
