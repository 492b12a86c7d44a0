import type { TemplateDetail, TemplateDocument } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { useNow } from "../format/use-now.ts";
import { Link, navigate } from "../routing/navigation.tsx";
import { newRunPath, templatePath } from "../routing/route.ts";
import { useMayAct } from "../shell/session.tsx";
import { ActionButton } from "../ui/action-button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { TimeLabel } from "../ui/time-label.tsx";
import { removeTemplateAction } from "./template-actions.ts";

interface DetailsProps {
  readonly name: string;
  /** Null for the latest. */
  readonly version: string | null;
  /** All versions of it, the latest first. */
  readonly versions: readonly TemplateDocument[];
  readonly onCopy: (template: TemplateDetail) => void;
  readonly onChanged: () => void;
}

/** A template: its versions, the variables and the plan of one of them, and what can be done with it. */
export function TemplateDetails({ name, version, versions, onCopy, onChanged }: DetailsProps): ReactNode {
  const mayAct = useMayAct();
  const { data, error } = useResource<TemplateDetail>(apiPath(["templates", name], { version }));
  if (error !== undefined) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState label="Loading the template" />;
  const reference = `${name}@${data.version}`;
  const afterRemoval = (): void => {
    onChanged();
    navigate("/templates", { isReplaced: true });
  };
  return (
    <section className="card template-details" aria-label={`Template ${name}`}>
      <div className="page-head">
        <h2>{name}</h2>
        <span className="push" />
        <Link to={newRunPath(version === null ? name : reference)} className="button primary">
          Start a run of it
        </Link>
        {data.is_built_in || versions.length < 2 ? null : (
          <ActionButton action={removeTemplateAction(name, null)} onDone={afterRemoval} />
        )}
      </div>
      {data.description === "" ? null : <p>{data.description}</p>}
      <Versions chosen={data.version} versions={versions} onRemoved={onChanged} />
      <Variables variables={data.variables} />
      <div className="page-head template-plan-head">
        <h3>The plan of {reference}</h3>
        <span className="push" />
        <CopyButton text={data.plan} label="Copy the plan" />
        {mayAct ? (
          <button type="button" className="small" onClick={() => onCopy(data)}>
            Change a copy of it
          </button>
        ) : null}
      </div>
      <pre tabIndex={0} aria-label="Plan of the template">
        {data.plan}
      </pre>
    </section>
  );
}

interface VersionsProps {
  readonly chosen: string;
  readonly versions: readonly TemplateDocument[];
  readonly onRemoved: () => void;
}

function Versions({ chosen, versions, onRemoved }: VersionsProps): ReactNode {
  const nowMs = useNow(false);
  return (
    <table className="plain-table" aria-label="Versions">
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Added</th>
          <th scope="col">Phases</th>
          <th scope="col">
            <span className="unseen">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {versions.map(({ name, version, phase_count: phases, added_at_ms: addedMs, is_built_in: isBuiltIn }, index) => (
          <tr key={version} className={version === chosen ? "is-selected" : ""}>
            <td>
              <Link
                to={templatePath(name, version)}
                {...(version === chosen ? { "aria-current": "true" as const } : {})}
              >
                {version}
              </Link>
              {index === 0 ? <span className="tag"> latest</span> : null}
            </td>
            <td>{isBuiltIn ? <span className="faint">built in</span> : <TimeLabel atMs={addedMs} nowMs={nowMs} />}</td>
            <td>{phases}</td>
            <td className="row-actions">
              {isBuiltIn ? null : (
                <ActionButton
                  action={removeTemplateAction(name, version)}
                  onDone={() => {
                    onRemoved();
                    navigate(versions.length === 1 ? "/templates" : templatePath(name), { isReplaced: true });
                  }}
                  className="small"
                />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Variables({ variables }: Pick<TemplateDetail, "variables">): ReactNode {
  if (variables.length === 0) return null;
  return (
    <>
      <h3>Variables</h3>
      <ul className="template-variables">
        {variables.map(({ name, type, default: preset, description, is_required: isRequired }) => (
          <li key={name}>
            <code>{name}</code>
            {isRequired ? <strong> needed</strong> : null}
            {type === "string" ? null : <span className="tag">{type}</span>}
            {description === null ? null : <span className="faint"> {description}</span>}
            {preset === null || preset === "" ? null : <span className="faint cut preset"> = {preset}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
