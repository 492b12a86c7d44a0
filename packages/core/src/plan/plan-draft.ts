import type { PlanDocument } from "./plan-document.ts";
import { findValue, formatPath } from "./plan-path.ts";
import type { PlanPath, PlanProblem, PlanProblemCode } from "./plan-problem.ts";

/** Name under which an author gave the phases. */
export type PhaseListKey = "phases" | "steps";

/** A problem before its place in the text is looked up. Its path says `phases`, also where the author says `steps`. */
export interface DraftProblem {
  readonly code: PlanProblemCode;
  readonly message: string;
  readonly path: PlanPath;
  /** What to point at: the value (default), or the key itself. */
  readonly at?: "key" | "value";
  /** Text inside the value to point at. */
  readonly near?: string;
  readonly severity?: PlanProblem["severity"];
  readonly hint?: string | undefined;
}

/** A plan on its way through the checks, with the problems they found so far. */
export class PlanDraft {
  readonly document: PlanDocument;
  readonly listKey: PhaseListKey;
  /** The plan as plain data, its list of phases always under `phases`. Replacing variables replaces it. */
  value: Record<string, unknown>;
  readonly #problems: PlanProblem[];

  /**
   * @param value    the document's map, as its author wrote it
   * @param problems what reading the text already found
   */
  constructor(document: PlanDocument, value: Record<string, unknown>, problems: readonly PlanProblem[]) {
    this.document = document;
    this.#problems = [...problems];
    const { steps, ...rest } = value;
    const isOlderForm = steps !== undefined && rest["phases"] === undefined;
    this.listKey = isOlderForm ? "steps" : "phases";
    this.value = isOlderForm ? { ...rest, phases: steps } : rest;
    if (steps === undefined || isOlderForm) return;
    const message = "steps and phases are two names of the same list; give one of them";
    this.add({ code: "STEPS_AND_PHASES", message, path: ["steps"], at: "key" });
  }

  /** Adds a problem, an error unless it says otherwise. */
  add({ code, message, path, at = "value", near, severity = "error", hint }: DraftProblem): void {
    const authored = this.#authoredPath(path);
    const place = this.document.locate(authored, at, near);
    const problem = { severity, code, message, path: authored, file: this.document.file, ...place };
    this.#problems.push(hint === undefined ? problem : { ...problem, hint });
  }

  /** All problems in the order of the text; those of a plan without a text in the order they were found. */
  problems(): PlanProblem[] {
    return [...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  /** Says where a value stands: `plan.yaml:3:5`, or its path where there is no text. */
  describePlace(path: PlanPath): string {
    const authored = this.#authoredPath(path);
    const { line, column } = this.document.locate(authored, "value");
    return line > 0 ? `${this.document.file}:${line}:${column}` : formatPath(authored);
  }

  /** What a sentence about a value starts with: `phase "split": `, `steps[2]: ` or nothing. */
  prefix(path: PlanPath): string {
    const [list, index] = path;
    if (list !== "phases" || typeof index !== "number") return "";
    const id = findValue(this.value, ["phases", index, "id"]);
    return typeof id === "string" && id !== "" ? `phase "${id.slice(0, 100)}": ` : `${this.listKey}[${index}]: `;
  }

  /** What a sentence about a value is about: `phase "split": shard.over`, or `steps[2]` as a whole. */
  subject(path: PlanPath): string {
    const field = this.fieldName(path);
    const prefix = this.prefix(path);
    return field === "" ? prefix.replace(/: $/, "") : `${prefix}${field}`;
  }

  /** Name of a value inside its phase, or inside the plan: `shard.over`. Empty for a phase or a plan itself. */
  fieldName(path: PlanPath): string {
    const isInPhase = path[0] === "phases" && typeof path[1] === "number";
    return formatPath(isInPhase ? path.slice(2) : this.#authoredPath(path));
  }

  #authoredPath(path: PlanPath): (string | number)[] {
    return path[0] === "phases" ? [this.listKey, ...path.slice(1)] : [...path];
  }
}
