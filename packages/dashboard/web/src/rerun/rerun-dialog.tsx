import type { RerunResult, RunVariables } from "@fanfold/schemas";
import { type ReactNode, useState } from "react";
import { asApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { VariableForm } from "../new-run/variable-form.tsx";
import { useNotices } from "../shell/notices.tsx";
import { useMayAct } from "../shell/session.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Modal } from "../ui/modal.tsx";
import { type Reach, type RerunDraft, rerunBody, rerunCommand } from "./rerun-order.ts";
import { RerunPreviewList } from "./rerun-preview.tsx";
import { useRerunPreview } from "./use-rerun-preview.ts";
import "./rerun.css";

const REACHES: readonly { readonly reach: Reach; readonly title: string; readonly what: string }[] = [
  { reach: "phase", title: "This phase", what: "and what had not run because of it" },
  { reach: "only", title: "Only this phase", what: "what depends on it becomes stale" },
  { reach: "downstream", title: "And everything after it", what: "whatever its new output is" },
  { reach: "stale", title: "And what becomes stale", what: "where an output stays the same, it ends there" },
];

interface DialogProps {
  readonly runId: string;
  /** Phase to run again; null: whatever is out of date. */
  readonly phase: string | null;
  readonly title: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Asks how far a rerun goes and with which variables, shows what would run, and then does it. */
export function RerunDialog({ runId, phase, title, onClose, onDone }: DialogProps): ReactNode {
  const [reach, setReach] = useState<Reach>("phase");
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const { data } = useResource<RunVariables>(apiPath(["runs", runId, "variables"]));
  const draft: RerunDraft = { runId, phase, reach, variables: changedValues(data, values) };
  const { preview, error } = useRerunPreview(draft);
  return (
    <Modal label={title} className="modal-wide" onClose={onClose}>
      <h2>{title}</h2>
      {phase === null ? null : <ReachChoice reach={reach} onChoose={setReach} />}
      <OtherVariables known={data} values={values} onChange={setValues} />
      <RerunPreviewList preview={preview} error={error} />
      <p className="command-line">
        <code>{rerunCommand(draft)}</code>
        <CopyButton text={rerunCommand(draft)} label="Copy as command" />
      </p>
      <Buttons draft={draft} preview={preview} onClose={onClose} onDone={onDone} />
    </Modal>
  );
}

interface ChoiceProps {
  readonly reach: Reach;
  readonly onChoose: (reach: Reach) => void;
}

function ReachChoice({ reach, onChoose }: ChoiceProps): ReactNode {
  return (
    <fieldset className="reach">
      <legend>What runs again</legend>
      {REACHES.map((item) => (
        <label key={item.reach}>
          <input
            type="radio"
            name="reach"
            checked={item.reach === reach}
            onChange={() => onChoose(item.reach)}
            autoFocus={item.reach === reach}
          />
          <span>
            {item.title} <span className="faint">{item.what}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface VariablesProps {
  readonly known: RunVariables | undefined;
  readonly values: Readonly<Record<string, string>>;
  readonly onChange: (values: Readonly<Record<string, string>>) => void;
}

/** Fields for the variables of the run's plan; one left empty keeps its value. */
function OtherVariables({ known, values, onChange }: VariablesProps): ReactNode {
  if (known === undefined || known.variables.length === 0) return null;
  const fields = known.variables.map((variable) => ({
    ...variable,
    default: known.values[variable.name] ?? variable.default,
    is_required: false,
  }));
  return (
    <details className="other-variables">
      <summary>With other variables</summary>
      <VariableForm
        variables={fields}
        values={values}
        presetWord="now"
        onChange={(name, value) => onChange({ ...values, [name]: value })}
      />
    </details>
  );
}

/** Variables that have been given another value than they have now. */
function changedValues(
  known: RunVariables | undefined,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const presets = new Map(known?.variables.map(({ name, default: preset }) => [name, preset]));
  const changed = Object.entries(values).filter(
    ([name, value]) => value !== "" && value !== (known?.values[name] ?? presets.get(name)),
  );
  return Object.fromEntries(changed);
}

interface ButtonsProps {
  readonly draft: RerunDraft;
  readonly preview: RerunResult | undefined;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function Buttons({ draft, preview, onClose, onDone }: ButtonsProps): ReactNode {
  const [isBusy, setIsBusy] = useState(false);
  const mayAct = useMayAct();
  const tell = useNotices();
  const start = async (): Promise<void> => {
    setIsBusy(true);
    try {
      const done = await send<RerunResult>("POST", apiPath(["runs", draft.runId, "rerun"]), rerunBody(draft, false));
      tell(done.steps.length === 0 ? "nothing to do" : `runs again: ${stepsText(done)}`);
      onDone();
      onClose();
    } catch (thrown) {
      const { message, why, nextAction } = asApiError(thrown);
      tell([message, why, nextAction].filter(Boolean).join("; "), true);
      setIsBusy(false);
    }
  };
  const isPossible = preview !== undefined && preview.problems.length === 0 && hasEffect(preview);
  return (
    <div className="modal-buttons">
      <button type="button" onClick={onClose}>
        Do nothing
      </button>
      <button
        type="button"
        className="primary"
        disabled={!mayAct || isBusy || !isPossible}
        title={mayAct ? "" : "you may look, not change"}
        onClick={() => void start()}
      >
        {isPossible ? `Run ${stepsText(preview)}` : "Run again"}
      </button>
    </div>
  );
}

function hasEffect({ steps, plan_diff: diff }: RerunResult): boolean {
  return steps.length > 0 || (diff !== null && (diff.removed.length > 0 || Object.keys(diff.changed).length > 0));
}

/** `1 phase`, `2 to 5 phases`: what runs for certain, and at most. */
function stepsText({ steps }: RerunResult): string {
  const certain = steps.filter(({ kind }) => kind === "run").length;
  const most = steps.length;
  const count = certain === most ? `${most}` : `${certain} to ${most}`;
  return `${count} ${most === 1 ? "phase" : "phases"}`;
}
