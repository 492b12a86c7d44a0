import type { TemplateDetail, TemplateDocument } from "@fanfold/schemas";
import { type ReactNode, useState } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { Link } from "../routing/navigation.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { templatePath } from "../routing/route.ts";
import { groupTemplates, readReference, type TemplateChoice } from "./template-list.ts";

interface PickerProps {
  /** `NAME` or `NAME@VERSION`; null before one is chosen. */
  readonly chosen: string | null;
  readonly detail: TemplateDetail | undefined;
  readonly onChoose: (reference: string) => void;
  /** Writes the plan of the template out, to be changed. */
  readonly onWriteOut: (text: string) => void;
}

/** Number of templates from which on there is a field to find one. */
const MANY = 9;

/** The templates to choose from, and the plan of the one that was chosen. */
export function TemplatePicker({ chosen, detail, onChoose, onWriteOut }: PickerProps): ReactNode {
  const { data, error, reload } = useResource<readonly TemplateDocument[]>(apiPath(["templates"]));
  const [wanted, setWanted] = useState("");
  if (data === undefined) {
    return error === undefined ? (
      <LoadingState label="Loading the templates" />
    ) : (
      <ErrorState error={error} onRetry={reload} />
    );
  }
  const choices = groupTemplates(data);
  const found = choices.filter(({ latest }) =>
    `${latest.name} ${latest.description}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  );
  const current = chosen === null ? null : readReference(chosen);
  return (
    <div className="template-picker">
      {choices.length < MANY ? null : (
        <input
          type="search"
          aria-label="Find a template"
          placeholder="Find a template"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      )}
      <fieldset className="templates">
        <legend className="unseen">Template</legend>
        {found.map((choice) => (
          <TemplateCard
            key={choice.latest.name}
            choice={choice}
            isChosen={choice.latest.name === current?.name}
            version={choice.latest.name === current?.name ? current.version : null}
            onChoose={onChoose}
          />
        ))}
        {found.length === 0 ? <p className="faint">No template is called like that.</p> : null}
      </fieldset>
      <p>
        <Link to={current === null ? "/templates" : templatePath(current.name, current.version)}>
          Versions, and adding or removing templates
        </Link>
      </p>
      {detail === undefined ? null : (
        <details className="template-plan">
          <summary>
            The plan of {detail.name}@{detail.version}
          </summary>
          <pre className="card" tabIndex={0} aria-label="Plan of the template">
            {detail.plan}
          </pre>
          <button type="button" onClick={() => onWriteOut(detail.plan)}>
            Change a copy of it
          </button>
        </details>
      )}
    </div>
  );
}

interface CardProps {
  readonly choice: TemplateChoice;
  readonly isChosen: boolean;
  /** Version that was chosen; null for the latest. */
  readonly version: string | null;
  readonly onChoose: (reference: string) => void;
}

function TemplateCard({ choice: { latest, versions }, isChosen, version, onChoose }: CardProps): ReactNode {
  const { name, description, phase_count: phases, is_built_in: isBuiltIn } = latest;
  return (
    <div className={isChosen ? "template chosen" : "template"}>
      <label>
        <input type="radio" name="template" checked={isChosen} onChange={() => onChoose(name)} />
        <span className="template-text">
          <span className="template-title">
            <strong>{name}</strong>
            {versions.length === 1 ? <span className="tag">{latest.version}</span> : null}
            {isBuiltIn ? <span className="tag">built in</span> : null}
            <span className="faint push template-count">
              {phases} {phases === 1 ? "phase" : "phases"}
            </span>
          </span>
          {description === "" ? null : <span className="faint">{description}</span>}
        </span>
      </label>
      {isChosen && versions.length > 1 ? (
        <label className="template-version">
          Version
          <select
            value={version ?? ""}
            onChange={({ target }) => onChoose(target.value === "" ? name : `${name}@${target.value}`)}
          >
            <option value="">latest ({versions[0]})</option>
            {versions.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      ) : null}
    </div>
  );
}
