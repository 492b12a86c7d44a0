import { type Variable, VariableSchema } from "@fanfold/schemas";
import { parsePlanText, type PlanSource } from "./parse-plan-text.ts";
import { isMap } from "./plan-path.ts";

/** A variable as a plan declares it. */
export interface ListedVariable {
  readonly name: string;
  readonly declaration: Variable;
}

/** The variables that a plan declares well, in its order: what a form asks for, also when the plan has problems. */
export function listVariables(plan: unknown): ListedVariable[] {
  const section = isMap(plan) ? plan["variables"] : undefined;
  return Object.entries(isMap(section) ? section : {}).flatMap(([name, written]) => {
    const declaration = VariableSchema.safeParse(written).data;
    return declaration === undefined ? [] : [{ name, declaration }];
  });
}

/** The same, of the text of a plan; none when it cannot be read. */
export function listVariablesOfText(source: PlanSource): ListedVariable[] {
  return listVariables(parsePlanText(source).document?.value);
}
