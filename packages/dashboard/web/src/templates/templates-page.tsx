import type { TemplateDetail, TemplateDocument } from "@fanfold/schemas";
import { type ReactNode, useState } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { groupTemplates } from "../new-run/template-list.ts";
import { Link, navigate, useSearch } from "../routing/navigation.tsx";
import { templatePath } from "../routing/route.ts";
import { useMayAct } from "../shell/session.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { AddTemplate } from "./add-template.tsx";
import { EMPTY_TEMPLATE, type TemplateDraft } from "./template-draft.ts";
import { TemplateCard } from "./template-card.tsx";
import { TemplateDetails } from "./template-details.tsx";
import "./templates.css";

/** The plans that the deployment keeps: their versions, and a form to add one. */
export function TemplatesPage(): ReactNode {
  const [search] = useSearch();
  const mayAct = useMayAct();
  const { data, error, reload } = useResource<readonly TemplateDocument[]>(apiPath(["templates"]));
  const [draft, setDraft] = useState<TemplateDraft>(EMPTY_TEMPLATE);
  const copy = ({ name, plan }: TemplateDetail): void => {
    setDraft({ ...EMPTY_TEMPLATE, name, text: plan });
    navigate("/templates?add=1");
  };
  const finish = (name: string, version: string): void => {
    setDraft(EMPTY_TEMPLATE);
    reload();
    navigate(templatePath(name, version), { isReplaced: true });
  };
  if (search.has("add")) return <AddTemplate draft={draft} onDraft={setDraft} onAdded={finish} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Templates</h1>
        <span className="push" />
        {mayAct ? (
          <Link to="/templates?add=1" className="button primary">
            Add a template
          </Link>
        ) : null}
      </div>
      {error === undefined ? null : <ErrorState error={error} onRetry={reload} />}
      {data === undefined ? (
        <LoadingState label="Loading the templates" lines={6} />
      ) : (
        <Templates templates={data} onCopy={copy} onChanged={reload} />
      )}
    </div>
  );
}

interface TemplatesProps {
  readonly templates: readonly TemplateDocument[];
  readonly onCopy: (template: TemplateDetail) => void;
  readonly onChanged: () => void;
}

function Templates({ templates, onCopy, onChanged }: TemplatesProps): ReactNode {
  const [search] = useSearch();
  const choices = groupTemplates(templates);
  const chosen = search.get("name");
  const name = chosen ?? choices[0]?.latest.name ?? "";
  return (
    <div className={`template-page ${chosen === null ? "" : "is-chosen"}`}>
      <p className="crumbs narrow-only">
        <Link to="/templates">All templates</Link>
      </p>
      <ul className="templates" aria-label="Templates">
        {choices.map((choice) => (
          <TemplateCard key={choice.latest.name} choice={choice} isChosen={choice.latest.name === name} />
        ))}
      </ul>
      <TemplateDetails
        key={name}
        name={name}
        version={search.get("version")}
        versions={templates.filter((template) => template.name === name)}
        onCopy={onCopy}
        onChanged={onChanged}
      />
    </div>
  );
}
