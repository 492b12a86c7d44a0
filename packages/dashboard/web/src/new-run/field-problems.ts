import type { PlanCheck } from "@fanfold/schemas";

type Problem = PlanCheck["problems"][number];

/** What is wrong with the value of a variable. */
export interface FieldProblem {
  /** It has no value, which is nothing to complain of before somebody had the chance to give one. */
  readonly isMissing: boolean;
  readonly message: string;
}

/** The problems of a plan: those of values, by the name of the variable, and the others. */
export function sortProblems(problems: readonly Problem[]): {
  readonly fields: ReadonlyMap<string, FieldProblem>;
  readonly others: readonly Problem[];
} {
  const fields = new Map<string, FieldProblem>();
  const others: Problem[] = [];
  for (const problem of problems) {
    const name = variableOf(problem);
    if (name === undefined) others.push(problem);
    else fields.set(name, fieldProblem(name, problem));
  }
  return { fields, others };
}

/** The variable whose value a problem is about; what is wrong with its declaration is the plan's matter. */
function variableOf({ code, path }: Problem): string | undefined {
  const [section, name, ...rest] = path;
  const isOfValue = code === "MISSING_VARIABLE" || code === "BAD_VARIABLE";
  return isOfValue && section === "variables" && typeof name === "string" && rest.length === 0 ? name : undefined;
}

function fieldProblem(name: string, { code, message }: Problem): FieldProblem {
  if (code === "MISSING_VARIABLE") return { isMissing: true, message: "It needs a value." };
  const opening = `variable ${name} `;
  return { isMissing: false, message: `It ${message.startsWith(opening) ? message.slice(opening.length) : message}.` };
}
