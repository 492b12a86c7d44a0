import { type Variable, VariableSchema } from "@fanfold/schemas";
import { findCredentials, isCredentialName } from "./credential.ts";
import { quote } from "./describe-value.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";
import { isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";
import { findExpectation, isDecimal, readPattern } from "./variable-value.ts";

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

interface DeclaredVariable {
  /** The declaration; undefined when it is wrong, which the structure checks report. */
  readonly declaration: Variable | undefined;
  readonly fallback: string | undefined;
}

/** Whether a text can be the name of a variable. */
export function isVariableName(name: string): boolean {
  return VARIABLE_NAME.test(name);
}

/** The variables of one plan: what it declares, what the caller gives, and what is used of them. */
export class PlanVariables {
  readonly #draft: PlanDraft;
  readonly #declared: ReadonlyMap<string, DeclaredVariable>;
  readonly #given: ReadonlyMap<string, string>;
  readonly #suggester: NameSuggester;
  readonly #firstUses = new Map<string, PlanPath>();
  readonly #isTemplate: boolean;

  /**
   * @param given values of the caller, which win over the plan's defaults
   * @param isTemplate whether values may be missing: a sample takes their place
   */
  constructor(draft: PlanDraft, given: Readonly<Record<string, string>>, isTemplate = false) {
    this.#draft = draft;
    this.#isTemplate = isTemplate;
    this.#given = new Map(Object.entries(given));
    this.#declared = readDeclarations(draft);
    this.#suggester = new NameSuggester([...this.#declared.keys(), ...this.#given.keys()]);
  }

  /** Whether the plan declares a variable, or the caller gives it. */
  has(name: string): boolean {
    return this.#declared.has(name) || this.#given.has(name);
  }

  /** Value of a variable; one that is declared as not required is empty rather than missing. */
  find(name: string): string | undefined {
    const declared = this.#declared.get(name);
    const optional = declared?.declaration?.required === false ? "" : undefined;
    const sample = this.#isTemplate && declared?.declaration !== undefined ? sampleOf(declared.declaration) : undefined;
    return this.#given.get(name) ?? declared?.fallback ?? optional ?? sample;
  }

  /** The same, for a place of the plan that needs it. */
  use(name: string, path: PlanPath): string | undefined {
    if (!this.#firstUses.has(name)) this.#firstUses.set(name, [...path]);
    return this.find(name);
  }

  /** Notes that a place looks at whatever variables there are. */
  useAll(path: PlanPath): void {
    for (const name of [...this.#declared.keys(), ...this.#given.keys()]) this.use(name, path);
  }

  /** Suggests the variable that a name was probably meant to be. */
  hint(name: string): string | undefined {
    return this.#suggester.hint(name);
  }

  /** Reports declarations that make no sense, and values that are not what their declaration says. */
  checkValues(): void {
    for (const [name, { declaration, fallback }] of this.#declared) {
      if (declaration === undefined || !this.#checkDeclaration(name, declaration)) continue;
      const given = this.#given.get(name);
      if (fallback !== undefined) this.#checkValue(name, declaration, fallback, ["variables", name, "default"]);
      if (given !== undefined) this.#checkValue(name, declaration, given, ["variables", name]);
    }
  }

  /** Reports variables without a value and variables nobody uses. To be called after everything that uses them. */
  reportUse(): void {
    for (const [name, { declaration }] of this.#declared) {
      const firstUse = this.#firstUses.get(name);
      if (firstUse === undefined && this.#draft.excluded.variables.has(name)) continue;
      if (firstUse === undefined) this.#addUnused(["variables", name], `variable ${name} is never used`);
      const isNeeded = firstUse !== undefined || declaration?.required === true;
      if (isNeeded && declaration !== undefined && this.find(name) === undefined) this.#addMissing(name, firstUse);
    }
    for (const name of this.#given.keys()) {
      if (this.#declared.has(name) || this.#firstUses.has(name)) continue;
      this.#addUnused([], `variable ${name} was given, but the plan neither declares nor uses it`);
    }
  }

  /** Every variable that has a value. */
  values(): Record<string, string> {
    const names = new Set([...this.#declared.keys(), ...this.#given.keys()]);
    return Object.fromEntries(
      Array.from(names, (name) => [name, this.find(name)] as const).filter(
        (entry): entry is readonly [string, string] => entry[1] !== undefined,
      ),
    );
  }

  #checkDeclaration(name: string, { type, values, pattern }: Variable): boolean {
    const path = ["variables", name];
    if (type === "enum" && values === undefined) {
      this.#draft.add({ code: "MISSING_KEY", message: `variable ${name}: type enum needs values`, path });
    }
    if (type !== "enum" && values !== undefined) {
      const message = `variable ${name}: values belongs to type enum, not to ${type ?? "string"}`;
      this.#draft.add({ code: "MISPLACED_FIELD", message, path: [...path, "values"], at: "key" });
    }
    const read = pattern === undefined ? undefined : readPattern(pattern);
    if (read?.ok !== false) return true;
    const message = `variable ${name}: pattern ${read.why}`;
    this.#draft.add({ code: "BAD_PATTERN", message, path: [...path, "pattern"] });
    return false;
  }

  #checkValue(name: string, declaration: Variable, value: string, path: PlanPath): void {
    const expectation = findExpectation(value, declaration);
    if (expectation === undefined) return;
    const isSecret = isCredentialName(name) || findCredentials(value).length > 0;
    const shown = isSecret ? "what it is given" : quote(value);
    const message = `variable ${name} cannot be ${shown}: it must be ${expectation}`;
    this.#draft.add({ code: "BAD_VARIABLE", message, path, at: path.length > 2 ? "value" : "key" });
  }

  #addMissing(name: string, firstUse: PlanPath | undefined): void {
    const place = firstUse === undefined ? "it is required" : `${this.#draft.describePlace(firstUse)} uses it`;
    this.#draft.add({
      code: "MISSING_VARIABLE",
      message: `variable ${name} has no value: it has no default and none was given, and ${place}`,
      path: ["variables", name],
      at: "key",
      hint: `give ${name} a value when you submit the plan, or a default here`,
    });
  }

  #addUnused(path: PlanPath, message: string): void {
    this.#draft.add({ severity: "warning", code: "UNUSED_VARIABLE", message, path, at: "key" });
  }
}

/** Some value that a variable could have, as far as its type tells. */
function sampleOf({ type, values }: Variable): string {
  if (type === "enum") return values?.[0] ?? "";
  if (type === "number") return "1";
  return type === "boolean" ? "true" : "sample";
}

function readDeclarations(draft: PlanDraft): Map<string, DeclaredVariable> {
  const section = draft.value["variables"];
  const declared = new Map<string, DeclaredVariable>();
  for (const [name, written] of Object.entries(isMap(section) ? section : {})) {
    const declaration = VariableSchema.safeParse(written).data;
    declared.set(name, { declaration, fallback: readDefault(name, declaration?.default, draft) });
  }
  return declared;
}

/** A number keeps its spelling: `1.10` is a version as often as it is a number. */
function readDefault(name: string, value: Variable["default"], draft: PlanDraft): string | undefined {
  if (value === undefined) return undefined;
  const source = typeof value === "number" ? draft.document.findSource(["variables", name, "default"]) : undefined;
  return source !== undefined && isDecimal(source) ? source : String(value);
}
