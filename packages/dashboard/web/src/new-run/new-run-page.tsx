import type { PlanCheck, SubmitResult, TemplateDetail } from "@fanfold/schemas";
import { type ReactNode, useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { navigate, useSearch } from "../routing/navigation.tsx";
import { runPath } from "../routing/route.ts";
import { useMayAct } from "../shell/session.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorState } from "../ui/states.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { CheckSummary } from "./check-summary.tsx";
import { sortProblems } from "./field-problems.ts";
import { goTo, PlanEditor } from "./plan-editor.tsx";
import { ProblemList } from "./problem-list.tsx";
import { checkBody, draftBody, draftCommand, EMPTY_DRAFT, isEmptyDraft, type RunDraft } from "./run-draft.ts";
import { RunOptions } from "./run-options.tsx";
import { readReference } from "./template-list.ts";
import { TemplatePicker } from "./template-picker.tsx";
import { type DraftCheck, usePlanCheck } from "./use-plan-check.ts";
import { VariableForm } from "./variable-form.tsx";
import "./new-run.css";

const SOURCES = [
  { id: "plan", title: "From a plan" },
  { id: "template", title: "From a template" },
] as const;

type Source = (typeof SOURCES)[number]["id"];

const INVITATIONS: Readonly<Record<Source, string>> = {
  plan: "Paste a plan, or drop its file onto the field.",
  template: "Choose a template.",
};

/** Starts a run from a template, or from a plan that is pasted or taken from a file. */
export function NewRunPage(): ReactNode {
  const [search, setSearch] = useSearch();
  const template = search.get("template");
  const source: Source = template !== null || search.get("from") === "template" ? "template" : "plan";
  const [drafts, setDrafts] = useState({ plan: EMPTY_DRAFT, template: EMPTY_DRAFT });
  const draft: RunDraft = source === "plan" ? drafts.plan : { ...drafts.template, template };
  const change = (fields: Partial<RunDraft>): void =>
    setDrafts((before) => ({ ...before, [source]: { ...before[source], ...fields } }));
  const editor = useRef<HTMLTextAreaElement>(null);
  const detail = useTemplate(source === "template" ? template : null);
  const known = usePlanCheck({ of: draft.template ?? "", request: checkBody(draft) });

  const select = (to: string): void => {
    setDrafts((before) => ({ ...before, template: { ...before.template, template: to === "plan" ? template : null } }));
    setSearch(
      to === "plan" ? { from: null, template: null } : { from: "template", template: drafts.template.template },
    );
  };
  const choose = (reference: string): void => {
    const isOther = template === null || readReference(reference).name !== readReference(template).name;
    if (isOther) change({ variables: {}, exclude: [] });
    setSearch({ from: "template", template: reference });
  };
  const writeOut = (text: string): void => {
    const plan: RunDraft = { ...EMPTY_DRAFT, text, variables: draft.variables, runId: draft.runId };
    setDrafts((before) => ({ ...before, plan }));
    setSearch({ from: null, template: null });
  };
  return (
    <div className="page">
      <div className="page-head">
        <h1>New run</h1>
      </div>
      <Tabs label="What to run" tabs={SOURCES} selected={source} onSelect={select} />
      <div className={`new-run from-${source}`}>
        {source === "plan" ? (
          <PlanEditor
            text={draft.text}
            editor={editor}
            onText={(text, fileName) => change(fileName === "" ? { text, fileName } : { text, fileName, exclude: [] })}
          />
        ) : (
          <TemplatePicker chosen={template} detail={detail} onChoose={choose} onWriteOut={writeOut} />
        )}
        <RunForm
          key={`${source} ${template === null ? "" : readReference(template).name}`}
          invitation={INVITATIONS[source]}
          draft={draft}
          known={known}
          detail={detail}
          onChange={change}
          onGoTo={source === "plan" ? (line, column) => goTo(editor.current, line, column) : undefined}
        />
      </div>
    </div>
  );
}

/** A template by `NAME` or `NAME@VERSION`; undefined while it is not known. */
function useTemplate(reference: string | null): TemplateDetail | undefined {
  const { name, version } = readReference(reference ?? "");
  const { data } = useResource<TemplateDetail>(name === "" ? null : apiPath(["templates", name], { version }));
  return data?.name === name && (version === null || data.version === version) ? data : undefined;
}

interface FormProps {
  readonly invitation: string;
  readonly draft: RunDraft;
  readonly known: DraftCheck;
  readonly detail: TemplateDetail | undefined;
  readonly onChange: (fields: Partial<RunDraft>) => void;
  /** Shows a place of the plan; undefined where it cannot be changed. */
  readonly onGoTo: ((line: number, column: number) => void) | undefined;
}

/** What is to be said of a run, and what is wrong with it. */
function RunForm({ invitation, draft, known: { check, error }, detail, onChange, onGoTo }: FormProps): ReactNode {
  const { fields, others } = sortProblems([...(check?.problems ?? []), ...(check?.warnings ?? [])]);
  return (
    <div className="new-run-side">
      <CheckSummary invitation={invitation} isEmpty={isEmptyDraft(draft)} check={check} error={error} />
      <ProblemList problems={others} onGoTo={onGoTo} />
      <VariableForm
        variables={check?.variables ?? detail?.variables ?? []}
        values={draft.variables}
        problems={fields}
        onChange={(name, value) => onChange({ variables: { ...draft.variables, [name]: value } })}
      />
      <RunOptions draft={draft} phases={check?.phase_ids ?? detail?.phases ?? []} onChange={onChange} />
      {isEmptyDraft(draft) ? null : (
        <p className="command-line">
          <code>{draftCommand(draft)}</code>
          <CopyButton text={draftCommand(draft)} label="Copy as command" />
        </p>
      )}
      <SubmitButton draft={draft} check={check} />
    </div>
  );
}

function SubmitButton({
  draft,
  check,
}: {
  readonly draft: RunDraft;
  readonly check: PlanCheck | undefined;
}): ReactNode {
  const mayAct = useMayAct();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    setError(undefined);
    try {
      const { run_id: runId } = await send<SubmitResult>("POST", apiPath(["runs"]), draftBody(draft));
      navigate(runPath(runId));
    } catch (thrown) {
      setError(asApiError(thrown));
      setIsBusy(false);
    }
  };
  return (
    <>
      {error === undefined ? null : <ErrorState error={error} />}
      <button
        type="button"
        className="primary"
        disabled={!mayAct || isBusy || check?.ok !== true}
        title={mayAct ? "" : "you may look, not change"}
        onClick={() => void submit()}
      >
        {isBusy ? "Starting…" : "Start the run"}
      </button>
    </>
  );
}
