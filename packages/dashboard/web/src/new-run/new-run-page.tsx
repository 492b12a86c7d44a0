import type { PlanCheck, SubmitResult } from "@fanfold/schemas";
import { type ChangeEvent, type DragEvent, type ReactNode, type RefObject, useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { navigate } from "../routing/navigation.tsx";
import { runPath } from "../routing/route.ts";
import { useMayAct } from "../shell/session.tsx";
import { ErrorState } from "../ui/states.tsx";
import { ProblemList } from "./problem-list.tsx";
import { draftBody, type PlanDraft, usePlanCheck } from "./use-plan-check.ts";
import { VariableForm } from "./variable-form.tsx";
import "./new-run.css";

const EMPTY: PlanDraft = { text: "", variables: {}, baseDir: "", runId: "" };

/** Starts a run from a plan that is pasted or taken from a file. */
export function NewRunPage(): ReactNode {
  const [draft, setDraft] = useState(EMPTY);
  const editor = useRef<HTMLTextAreaElement>(null);
  const { check, error } = usePlanCheck(draft);
  const change = (fields: Partial<PlanDraft>): void => setDraft((before) => ({ ...before, ...fields }));
  const problems = [...(check?.problems ?? []), ...(check?.warnings ?? [])];
  return (
    <div className="page">
      <div className="page-head">
        <h1>New run</h1>
      </div>
      <div className="new-run">
        <PlanEditor text={draft.text} editor={editor} onText={(text) => change({ text })} />
        <div className="new-run-side">
          <CheckSummary check={check} error={error} />
          <ProblemList problems={problems} onGoTo={(line, column) => goTo(editor.current, line, column)} />
          <VariableForm
            variables={check?.variables ?? []}
            values={draft.variables}
            onChange={(name, value) => change({ variables: { ...draft.variables, [name]: value } })}
          />
          <Options draft={draft} onChange={change} />
          <SubmitButton draft={draft} check={check} />
        </div>
      </div>
    </div>
  );
}

interface EditorProps {
  readonly text: string;
  readonly editor: RefObject<HTMLTextAreaElement | null>;
  readonly onText: (text: string) => void;
}

function PlanEditor({ text, editor, onText }: EditorProps): ReactNode {
  const take = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) onText(await file.text());
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    void take(event.dataTransfer.files[0]);
  };
  return (
    <div className="plan-editor">
      <label className="button">
        Take from a file
        <input
          type="file"
          className="unseen"
          accept=".yaml,.yml,.json"
          onChange={(event: ChangeEvent<HTMLInputElement>) => void take(event.target.files?.[0])}
        />
      </label>
      <textarea
        ref={editor}
        aria-label="Plan, YAML or JSON"
        placeholder={'plan_id: hello\nversion: "1"\nphases:\n  - id: greet\n    command: echo\n    args: [hello]'}
        spellCheck={false}
        value={text}
        onChange={(event) => onText(event.target.value)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={drop}
      />
    </div>
  );
}

function CheckSummary({
  check,
  error,
}: {
  readonly check: PlanCheck | undefined;
  readonly error: ApiError | undefined;
}): ReactNode {
  if (error !== undefined) return <ErrorState error={error} />;
  if (check === undefined) return <p className="faint">Paste a plan, or drop its file onto the field.</p>;
  const [count, phases] = [check.problems.length, check.phases.length];
  return (
    <p role="status" className={check.ok ? "" : "problem-text"}>
      {check.ok
        ? `The plan is valid: ${phases} ${phases === 1 ? "phase" : "phases"}.`
        : `${count} ${count === 1 ? "problem" : "problems"}.`}
    </p>
  );
}

function Options({
  draft,
  onChange,
}: {
  readonly draft: PlanDraft;
  readonly onChange: (fields: Partial<PlanDraft>) => void;
}): ReactNode {
  return (
    <details className="options">
      <summary>Options</summary>
      <label>
        Directory of the plan's scripts, in the workers' workspaces
        <input value={draft.baseDir} placeholder="." onChange={(event) => onChange({ baseDir: event.target.value })} />
      </label>
      <label>
        Run id; giving the same again starts nothing new
        <input
          value={draft.runId}
          placeholder="made up"
          onChange={(event) => onChange({ runId: event.target.value })}
        />
      </label>
    </details>
  );
}

function SubmitButton({
  draft,
  check,
}: {
  readonly draft: PlanDraft;
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

/** Puts the caret at a place of the text; both count from 1. */
function goTo(editor: HTMLTextAreaElement | null, line: number, column: number): void {
  if (editor === null) return;
  const lines = editor.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const at = start + Math.max(0, column - 1);
  editor.focus();
  editor.setSelectionRange(at, Math.max(at, start + (lines[line - 1]?.length ?? 0)));
}
