import { type ReactNode, useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { CheckSummary } from "../new-run/check-summary.tsx";
import { goTo, PlanEditor } from "../new-run/plan-editor.tsx";
import { ProblemList } from "../new-run/problem-list.tsx";
import { usePlanCheck } from "../new-run/use-plan-check.ts";
import { Link } from "../routing/navigation.tsx";
import { useNotices } from "../shell/notices.tsx";
import { useMayAct } from "../shell/session.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorState } from "../ui/states.tsx";
import { type TemplateDraft, templateBody, templateCheckBody, templateCommand } from "./template-draft.ts";
import "../new-run/new-run.css";

interface AddTemplateProps {
  readonly draft: TemplateDraft;
  readonly onDraft: (draft: TemplateDraft) => void;
  readonly onAdded: (name: string, version: string) => void;
}

/** Adds a template from a plan that is pasted or taken from a file, and says what is wrong with it, and where. */
export function AddTemplate({ draft, onDraft, onAdded }: AddTemplateProps): ReactNode {
  const editor = useRef<HTMLTextAreaElement>(null);
  const request = templateCheckBody(draft);
  const { check, error } = usePlanCheck({ of: "", request });
  const problems = [...(check?.problems ?? []), ...(check?.warnings ?? [])];
  return (
    <div className="page">
      <p className="crumbs">
        <Link to="/templates">Templates</Link>
      </p>
      <div className="page-head">
        <h1>Add a template</h1>
      </div>
      <div className="new-run">
        <PlanEditor
          text={draft.text}
          editor={editor}
          onText={(text, fileName) => onDraft({ ...draft, text, fileName })}
        />
        <div className="new-run-side">
          <CheckSummary
            invitation="Paste a plan, or drop its file onto the field. Variables may be left open."
            isEmpty={request === null}
            check={check}
            error={error}
          />
          <ProblemList problems={problems} onGoTo={(line, column) => goTo(editor.current, line, column)} />
          <label className="template-name">
            Name of the template
            <input
              value={draft.name}
              placeholder="the plan's plan_id"
              spellCheck={false}
              autoComplete="off"
              onChange={({ target }) => onDraft({ ...draft, name: target.value })}
            />
          </label>
          <p className="faint">
            It is kept under the plan's <code>version</code>. Another plan needs another version.
          </p>
          {request === null ? null : (
            <p className="command-line">
              <code>{templateCommand(draft)}</code>
              <CopyButton text={templateCommand(draft)} label="Copy as command" />
            </p>
          )}
          <AddButton draft={draft} isValid={check?.ok === true} onAdded={onAdded} />
        </div>
      </div>
    </div>
  );
}

interface AddButtonProps {
  readonly draft: TemplateDraft;
  readonly isValid: boolean;
  readonly onAdded: (name: string, version: string) => void;
}

function AddButton({ draft, isValid, onAdded }: AddButtonProps): ReactNode {
  const mayAct = useMayAct();
  const tell = useNotices();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setIsBusy] = useState(false);
  const add = async (): Promise<void> => {
    setIsBusy(true);
    setError(undefined);
    try {
      const added = await send<{ name: string; version: string; is_new: boolean }>(
        "POST",
        apiPath(["templates"]),
        templateBody(draft),
      );
      const reference = `${added.name}@${added.version}`;
      tell(added.is_new ? `added ${reference}` : `${reference} is there already, with the same plan`);
      onAdded(added.name, added.version);
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
        disabled={!mayAct || isBusy || !isValid}
        title={mayAct ? "" : "you may look, not change"}
        onClick={() => void add()}
      >
        {isBusy ? "Adding…" : "Add the template"}
      </button>
    </>
  );
}
