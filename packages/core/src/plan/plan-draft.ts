import type { ArrangedPhase } from "./arranged-phase.ts";
import { maskCredentials } from "./credential.ts";
import { quote } from "./describe-value.ts";
import type { NearText, PlanDocument } from "./plan-document.ts";
import { NOTHING_EXCLUDED, type ExcludedPart } from "./excluded-part.ts";
import { findValue, formatPath, isMap } from "./plan-path.ts";
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
  readonly near?: NearText;
  /** Whether it is about the caller's options, and no place of the plan. */
  readonly isOutside?: boolean;
  readonly severity?: PlanProblem["severity"];
  readonly hint?: string | undefined;
}

/** Shorter credentials are masked in messages only where they stand in quotes: others could be any word. */
const MIN_BARE_CREDENTIAL = 6;

/** A plan on its way through the checks, with the problems they found so far. */
export class PlanDraft {
  readonly document: PlanDocument;
  readonly listKey: PhaseListKey;
  /** The plan as plain data, its list of phases always under `phases`. Replacing variables replaces it. */
  value: Record<string, unknown>;
  /** What was taken out of the plan before anything was checked. */
  excluded: ExcludedPart = NOTHING_EXCLUDED;
  /** Where the phases were written, once their list is no longer the author's. */
  #arranged: readonly ArrangedPhase[] | undefined;
  readonly #problems: PlanProblem[];
  readonly #isStrict: boolean;
  readonly #credentials = new Set<string>();

  /**
   * @param problems what reading the text already found
   * @param isStrict whether warnings are errors
   */
  constructor(document: PlanDocument, problems: readonly PlanProblem[], isStrict: boolean) {
    this.document = document;
    this.#isStrict = isStrict;
    const value = isMap(document.value) ? document.value : {};
    this.#problems = [...problems];
    const { steps, ...rest } = value;
    const isOlderForm = steps !== undefined && rest["phases"] === undefined;
    this.listKey = isOlderForm ? "steps" : "phases";
    this.value = isOlderForm ? { ...rest, phases: steps } : rest;
    if (steps === undefined || isOlderForm) return;
    const message = "steps and phases are two names of the same list; give one of them";
    this.add({ code: "STEPS_AND_PHASES", message, path: ["steps"], at: "key" });
  }

  /** The list of phases as it is now, each with the place it was written at; empty when it is no list. */
  arranged(): readonly ArrangedPhase[] {
    const { phases } = this.value;
    if (this.#arranged !== undefined || !Array.isArray(phases)) return this.#arranged ?? [];
    return phases.map((value: unknown, index) => ({ value, origin: [this.listKey, index] }));
  }

  /** Gives the plan another list of phases. Problems go on pointing at where each was written. */
  arrange(phases: readonly ArrangedPhase[]): void {
    this.#arranged = phases;
    this.value = { ...this.value, phases: phases.map(({ value }) => value) };
  }

  /** Adds a problem, an error unless it says otherwise. */
  add({ code, message, path, at = "value", near, isOutside, severity = "error", hint }: DraftProblem): void {
    const authored = this.#authoredPath(path);
    const position = isOutside === true ? { line: 0, column: 0 } : this.document.locate(authored, at, near);
    const problem = { severity, code, message, path: authored, file: this.document.file, ...position, frame: "" };
    this.#problems.push(hint === undefined ? problem : { ...problem, hint });
  }

  /** Keeps a credential that the plan spells out, or all of the value it stands in, out of every message and frame. */
  hide(path: PlanPath, credential: string): void {
    this.#credentials.add(credential);
    this.document.hide(this.#authoredPath(path), credential);
  }

  /** Keeps a credential that the caller gives out of every message. */
  hideGiven(credential: string): void {
    this.#credentials.add(credential);
  }

  /** Whether something is wrong, warnings apart. */
  isBroken(): boolean {
    return this.#problems.some(({ severity }) => severity === "error");
  }

  /** All problems in the order of the text; those of a plan without a text in the order they were found. */
  problems(): PlanProblem[] {
    const inOrder = [...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column);
    return inOrder.map((problem) => this.#present(problem));
  }

  #present(problem: PlanProblem): PlanProblem {
    const { severity, line, hint } = problem;
    return {
      ...problem,
      severity: this.#isStrict ? "error" : severity,
      message: this.#mask(problem.message),
      frame: line > 0 ? this.document.frame(problem) : "",
      ...(hint === undefined ? {} : { hint: this.#mask(hint) }),
    };
  }

  #mask(text: string): string {
    let masked = maskCredentials(text);
    for (const credential of this.#credentials) {
      masked = masked.replaceAll(quote(credential), '"***"');
      if (credential.length >= MIN_BARE_CREDENTIAL) masked = masked.replaceAll(credential, "***");
    }
    return masked;
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
    return typeof id === "string" && id !== ""
      ? `phase "${id.slice(0, 100)}": `
      : `${formatPath(this.#authoredPath(["phases", index]))}: `;
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
    const [list, index, field, entry] = path;
    if (list !== "phases") return [...path];
    const phase = typeof index === "number" ? this.#arranged?.[index] : undefined;
    if (phase === undefined) return [this.listKey, ...path.slice(1)];
    const isEdge = phase.edges !== undefined && field === "depends_on" && typeof entry === "number";
    return isEdge ? [...(phase.edges[entry] ?? phase.origin), ...path.slice(4)] : [...phase.origin, ...path.slice(2)];
  }
}
