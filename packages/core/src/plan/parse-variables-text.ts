import { describeValue } from "./describe-value.ts";
import { parsePlanText, type PlanSource } from "./parse-plan-text.ts";
import type { PlanDocument } from "./plan-document.ts";
import { isMap } from "./plan-path.ts";
import type { PlanPath, PlanProblem, PlanProblemCode } from "./plan-problem.ts";
import { isVariableName } from "./plan-variables.ts";
import { isDecimal } from "./variable-value.ts";

/** Values of variables, or everything that is wrong with the text they were to come from. */
export type VariablesResult =
  | { readonly ok: true; readonly variables: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly problems: PlanProblem[] };

/**
 * Reads values of variables from YAML or JSON text: a map of names to strings, numbers or booleans. Numbers keep their
 * spelling. An empty text has none.
 */
export function parseVariablesText(source: PlanSource): VariablesResult {
  const { document, problems } = parsePlanText(source);
  if (document === undefined) {
    const isEmpty = problems.every(({ code }) => code === "EMPTY_PLAN");
    return isEmpty ? { ok: true, variables: {} } : { ok: false, problems };
  }
  return new VariablesReader(document, problems).read();
}

class VariablesReader {
  readonly #document: PlanDocument;
  readonly #problems: PlanProblem[];

  constructor(document: PlanDocument, problems: readonly PlanProblem[]) {
    this.#document = document;
    this.#problems = [...problems];
  }

  read(): VariablesResult {
    const { value } = this.#document;
    const variables: [string, string][] = [];
    if (!isMap(value)) {
      const message = `variables must be a map of names to values, not ${describeValue(value)}`;
      this.#add("NOT_A_MAP", [], message);
    }
    for (const [name, given] of Object.entries(isMap(value) ? value : {})) {
      if (!isVariableName(name)) this.#add("INVALID_VALUE", [name], `"${name}" is not a name of a variable`);
      variables.push([name, this.#text(name, given)]);
    }
    const isValid = this.#problems.every(({ severity }) => severity === "warning");
    return isValid ? { ok: true, variables: Object.fromEntries(variables) } : { ok: false, problems: this.#problems };
  }

  #text(name: string, given: unknown): string {
    if (typeof given === "string") return given;
    if (typeof given === "boolean") return String(given);
    if (typeof given === "number") {
      const source = this.#document.findSource([name]);
      return source !== undefined && isDecimal(source) ? source : String(given);
    }
    const hint = given === null ? 'write "" for an empty text' : undefined;
    const message = `variable ${name} must be a string, a number or true or false, not ${describeValue(given)}`;
    this.#add("WRONG_TYPE", [name], message, hint);
    return "";
  }

  #add(code: PlanProblemCode, path: PlanPath, message: string, hint?: string): void {
    const position = this.#document.locate(path, code === "INVALID_VALUE" ? "key" : "value");
    const frame = this.#document.frame(position);
    const problem = { severity: "error" as const, code, message, path: [...path], file: this.#document.file, frame };
    this.#problems.push({ ...problem, ...position, ...(hint === undefined ? {} : { hint }) });
  }
}
