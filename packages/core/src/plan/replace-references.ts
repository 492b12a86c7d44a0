import type { MatrixPoint, MatrixReading } from "./matrix-points.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanPath } from "./plan-problem.ts";
import { isVariableName, type PlanVariables } from "./plan-variables.ts";
import { replaceStrings } from "./replace-strings.ts";
import { substitute } from "./substitute.ts";

const SECRET_REFERENCE = /\$\{secret:[^{}]*\}/g;
const MATRIX_PREFIX = "matrix.";
const MATRIX_REFERENCE = /\$\{matrix\.[^{}]*\}/g;

/** Fields of a phase whose strings may differ between the instances of a matrix: none that makes a name or an edge. */
const MATRIX_FIELDS = new Set(
  "name description command args handler cwd env tags ui_hints pool lock concurrency_key cost collect prompt retry_strategy approval".split(
    " ",
  ),
);

/** Whether a place inside a phase may use the values of its matrix. */
function mayUseMatrix([field, part, index]: PlanPath): boolean {
  if (field === "shard") return part === "over" && typeof index === "number";
  if (field === "merge") return part === "command" || part === "args" || part === "handler";
  return MATRIX_FIELDS.has(String(field));
}

const EXPRESSIONS = new Set(["condition", "repeat_until"]);

/** Whether a string is left as its author wrote it: an expression has names of its own for variables. */
function isExpression(path: PlanPath): boolean {
  return path[0] === "phases" && path.length === 3 && EXPRESSIONS.has(String(path[2]));
}

/** Replaces the references in the strings of one plan, and reports those that have no value. */
export class ReferenceReplacer {
  readonly #draft: PlanDraft;
  readonly #variables: PlanVariables;
  readonly #matrixReferences: { dimension: string; path: PlanPath }[] = [];

  constructor(draft: PlanDraft, variables: PlanVariables) {
    this.#draft = draft;
    this.#variables = variables;
  }

  /** Replaces the references in one string of the plan, but for those to a matrix, which has to be read first. */
  replace(text: string, path: PlanPath): string {
    if (!text.includes("$") || isExpression(path)) return text;
    const ownSecrets: string[] = [];
    const told = new Set<string>();
    const replaced = substitute(text, (name, reference) => {
      const isNew = !told.has(name);
      told.add(name);
      if (name.startsWith("secret:")) {
        ownSecrets.push(reference);
        return undefined;
      }
      if (!name.startsWith(MATRIX_PREFIX) || path[0] !== "phases") return this.#variable(name, path, isNew);
      if (isNew) this.#matrixReferences.push({ dimension: name.slice(MATRIX_PREFIX.length), path: [...path] });
      return undefined;
    });
    this.#checkSecrets(replaced, ownSecrets, path);
    return replaced;
  }

  /**
   * Reports references to dimensions that are not there, and those in places that are the same for all instances.
   *
   * @param matrices what the matrices of the phases were read as, by index
   */
  checkMatrixReferences(matrices: ReadonlyMap<number, MatrixReading>): void {
    for (const { dimension, path } of this.#matrixReferences) {
      const dimensions = matrices.get(Number(path[1]))?.dimensions;
      const reference = `\${matrix.${dimension}}`;
      const subject = `${this.#draft.prefix(path)}${reference}`;
      const place = { code: "UNKNOWN_DIMENSION", path, near: { text: reference } } as const;
      if (dimensions === undefined) this.#draft.add({ ...place, message: `${subject}: the phase has no matrix` });
      else if (!dimensions.includes(dimension)) {
        const hint = new NameSuggester(dimensions).hint(dimension);
        this.#draft.add({ ...place, message: `${subject}: the matrix has no dimension "${dimension}"`, hint });
      } else if (!mayUseMatrix(path.slice(2))) {
        const message = `${subject} cannot be part of ${this.#draft.fieldName(path)}, which all instances share`;
        this.#draft.add({ ...place, code: "MISPLACED_FIELD", message });
      }
    }
  }

  #variable(name: string, path: PlanPath, isNew: boolean): string | undefined {
    const isName = isVariableName(name);
    const value = isName ? this.#variables.use(name, path) : undefined;
    if (value !== undefined || this.#variables.has(name) || !isNew) return value;
    const reference = `\${${name}}`;
    this.#draft.add({
      severity: "warning",
      code: "UNRESOLVED_VARIABLE",
      message: `${this.#draft.prefix(path)}${reference} stays as it is: ${isName ? `no variable is called ${name}` : "this is not a reference to a variable"}`,
      path,
      near: { text: reference },
      hint: `declare it under variables, or write $${reference} for the text itself`,
    });
    return undefined;
  }

  /** A worker could not tell a text that only replacing made from a secret the plan asks for. */
  #checkSecrets(replaced: string, ownSecrets: readonly string[], path: PlanPath): void {
    const secrets = replaced.replace(MATRIX_REFERENCE, "value").match(SECRET_REFERENCE) ?? [];
    if (secrets.length === ownSecrets.length) return;
    const secret = secrets.find((one) => !ownSecrets.includes(one)) ?? "a secret";
    const rule = "only the plan itself may name a secret, in plain sight";
    const message = `${this.#draft.prefix(path)}a reference or $$ makes ${secret} here; ${rule}`;
    this.#draft.add({ code: "SECRET_INJECTED", message, path });
  }
}

/**
 * A phase as one instance of its matrix has it. Reports nothing: {@link ReferenceReplacer} has been over it before.
 *
 * @param authored the phase before anything in it was replaced
 */
export function replaceForInstance(
  authored: Record<string, unknown>,
  variables: Pick<PlanVariables, "find">,
  point: MatrixPoint,
): Record<string, unknown> {
  const find = (name: string): string | undefined =>
    name.startsWith(MATRIX_PREFIX) ? point[name.slice(MATRIX_PREFIX.length)] : variables.find(name);
  const replaced = replaceStrings(authored, (text, path) =>
    path.length === 1 && EXPRESSIONS.has(String(path[0])) ? text : substitute(text, find),
  );
  return replaced.ok ? replaced.value : authored;
}
