import type { CompileResult, ListedVariable, PlanSource } from "@fanfold/core";
import type { VariableDocument } from "@fanfold/schemas";
import { ApiFailure } from "./api-failure.ts";

/** A plan as somebody wrote it: text, or data. */
export type WrittenPlan = PlanSource | { readonly value: unknown };

/** The plan of a request that has either of them. */
export function writtenPlan(request: {
  readonly plan?: unknown;
  readonly plan_text?: string | undefined;
  readonly format?: "yaml" | "json" | undefined;
}): WrittenPlan {
  const { plan, plan_text: text, format = "yaml" } = request;
  return text === undefined ? { value: plan } : { text, file: `plan.${format}` };
}

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
export function invalidPlan(
  problems: Extract<CompileResult, { ok: false }>["problems"],
  outcome = "nothing was started",
): ApiFailure {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const count = errors.length === 1 ? "a problem" : `${errors.length} problems`;
  return new ApiFailure("INVALID_PLAN", `the plan has ${count}: ${first?.message ?? "see details"}`, {
    nextAction: `correct it; ${outcome}`,
    details: problems,
  });
}
