import type { VariableDocument } from "@fanfold/schemas";
import { type ReactNode, useId, useState } from "react";
import type { FieldProblem } from "./field-problems.ts";
import { TextField } from "./text-field.tsx";
import "./new-run.css";

interface VariableFormProps {
  readonly variables: readonly VariableDocument[];
  readonly values: Readonly<Record<string, string>>;
  readonly onChange: (name: string, value: string) => void;
  /** What the value is called that a field left empty stands for. */
  readonly presetWord?: string;
  /** What is wrong with the values, by the name of the variable. */
  readonly problems?: ReadonlyMap<string, FieldProblem>;
}

/** A field for each variable of the plan. A field left empty takes the plan's default. */
export function VariableForm(props: VariableFormProps): ReactNode {
  const { variables, values, onChange, presetWord = "default", problems } = props;
  if (variables.length === 0) return null;
  return (
    <fieldset className="card variables">
      <legend>Variables</legend>
      {variables.map((variable) => (
        <VariableLine
          key={variable.name}
          variable={variable}
          value={values[variable.name] ?? ""}
          presetWord={presetWord}
          problem={problems?.get(variable.name)}
          onChange={onChange}
        />
      ))}
    </fieldset>
  );
}

interface LineProps {
  readonly variable: VariableDocument;
  readonly value: string;
  readonly presetWord: string;
  readonly problem: FieldProblem | undefined;
  readonly onChange: (name: string, value: string) => void;
}

function VariableLine({ variable, value, presetWord, problem, onChange }: LineProps): ReactNode {
  const [isTouched, setIsTouched] = useState(false);
  const remarkId = useId();
  const { name, type, is_required: isRequired, description } = variable;
  // what was typed since the plan was checked is not missing
  const isShown = problem !== undefined && (!problem.isMissing || (isTouched && value === ""));
  const shown = isShown ? problem : undefined;
  return (
    <div className="variable" onBlur={() => setIsTouched(true)}>
      <label>
        <span>
          <code>{name}</code>
          {isRequired ? <strong> needed</strong> : null}
          {type === "number" ? <span className="tag">number</span> : null}
          {description === null ? null : <span className="faint"> {description}</span>}
        </span>
        <VariableField
          variable={variable}
          value={value}
          presetWord={presetWord}
          problemId={shown === undefined ? undefined : remarkId}
          onChange={onChange}
        />
      </label>
      <p id={remarkId} className="problem-text" aria-live="polite">
        {shown?.message}
      </p>
    </div>
  );
}

interface FieldProps {
  readonly variable: VariableDocument;
  readonly value: string;
  readonly presetWord: string;
  /** Element that says what is wrong with the value; undefined while nothing is. */
  readonly problemId: string | undefined;
  readonly onChange: (name: string, value: string) => void;
}

function VariableField({ variable, value, presetWord, problemId, onChange }: FieldProps): ReactNode {
  const { name, type, default: preset, options, pattern, is_required: isRequired } = variable;
  const offered = type === "boolean" ? ["true", "false"] : options;
  const common = {
    value,
    required: isRequired,
    "aria-invalid": problemId !== undefined,
    ...(problemId === undefined ? {} : { "aria-describedby": problemId }),
  };
  if (offered !== undefined) {
    return (
      <select {...common} onChange={(event) => onChange(name, event.target.value)}>
        <option value="">{preset === null ? "choose" : `${preset} (${presetWord})`}</option>
        {offered.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    );
  }
  const written = {
    ...common,
    placeholder: preset ?? "",
    title: pattern === undefined ? "" : `must match ${pattern}`,
    autoComplete: "off",
    spellCheck: false,
  };
  if (type !== "number") return <TextField {...written} onText={(text) => onChange(name, text)} />;
  return <input {...written} inputMode="decimal" onChange={(event) => onChange(name, event.target.value)} />;
}
