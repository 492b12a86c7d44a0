import type { VariableDocument } from "@fanfold/schemas";
import type { ReactNode } from "react";
import "./new-run.css";

interface VariableFormProps {
  readonly variables: readonly VariableDocument[];
  readonly values: Readonly<Record<string, string>>;
  readonly onChange: (name: string, value: string) => void;
  /** What the value is called that a field left empty stands for. */
  readonly presetWord?: string;
}

/** A field for each variable of the plan. A field left empty takes the plan's default. */
export function VariableForm({ variables, values, onChange, presetWord = "default" }: VariableFormProps): ReactNode {
  if (variables.length === 0) return null;
  return (
    <fieldset className="card variables">
      <legend>Variables</legend>
      {variables.map((variable) => (
        <label key={variable.name}>
          <span>
            <code>{variable.name}</code>
            {variable.is_required ? <strong> needed</strong> : null}
            {variable.description === null ? null : <span className="faint"> {variable.description}</span>}
          </span>
          <VariableField
            variable={variable}
            value={values[variable.name] ?? ""}
            presetWord={presetWord}
            onChange={onChange}
          />
        </label>
      ))}
    </fieldset>
  );
}

interface FieldProps {
  readonly variable: VariableDocument;
  readonly value: string;
  readonly presetWord: string;
  readonly onChange: (name: string, value: string) => void;
}

function VariableField({ variable, value, presetWord, onChange }: FieldProps): ReactNode {
  const { name, type, default: preset, options, pattern, is_required: isRequired } = variable;
  const offered = type === "boolean" ? ["true", "false"] : options;
  if (offered !== undefined) {
    return (
      <select value={value} required={isRequired} onChange={(event) => onChange(name, event.target.value)}>
        <option value="">{preset === null ? "choose" : `${preset} (${presetWord})`}</option>
        {offered.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      value={value}
      required={isRequired}
      inputMode={type === "number" ? "decimal" : "text"}
      placeholder={preset ?? ""}
      title={pattern === undefined ? "" : `must match ${pattern}`}
      onChange={(event) => onChange(name, event.target.value)}
    />
  );
}
