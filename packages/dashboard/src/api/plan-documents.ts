import type { CompileResult, ListedVariable } from "@fanfold/core";
import type { VariableDocument } from "@fanfold/schemas";
import { ApiFailure } from "./api-failure.ts";

/** A variable as the API tells of it. */
export function variableDocument({ name, declaration }: ListedVariable): VariableDocument {
  const { type = "string", values, pattern, description = null, required, default: preset } = declaration;
  return {
    name,
    type,
    default: preset === undefined ? null : String(preset),
    description,
    is_required: required ?? preset === undefined,
    ...(values === undefined ? {} : { options: values }),
    ...(pattern === undefined ? {} : { pattern }),
  };
}

/** The answer to a plan that is not valid. */
export function invalidPlan(problems: Extract<CompileResult, { ok: false }>["problems"]): ApiFailure {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const count = errors.length === 1 ? "a problem" : `${errors.length} problems`;
  return new ApiFailure("INVALID_PLAN", `the plan has ${count}: ${first?.message ?? "see details"}`, {
    nextAction: "correct it; nothing was started",
    details: problems,
  });
}
