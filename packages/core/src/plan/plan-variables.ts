import { VariableSchema } from "@fanfold/schemas";
import type { PlanDraft } from "./plan-draft.ts";
import { isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";

/** Everything that `$` can begin: `$$`, or `${…}` without braces inside. */
const REFERENCE = /\$\$|\$\{([^{}]*)\}/g;
const SECRET_REFERENCE = /\$\{secret:[^{}]*\}/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

interface DeclaredVariable {
  /** Undefined when neither the plan nor the caller gives one. */
  readonly value: string | undefined;
  /** Whether the declaration itself is wrong, which the structure checks report. */
  readonly isBroken: boolean;
}

/**
 * The variables of one plan, and what its strings made of them. A string is replaced in one pass, so a value is
 * never looked at again: it can inject neither structure nor another reference.
 */
export class PlanVariables {
  readonly #draft: PlanDraft;
  readonly #isStrict: boolean;
  readonly #declared: ReadonlyMap<string, DeclaredVariable>;
  readonly #given: ReadonlyMap<string, string>;
  readonly #firstUses = new Map<string, PlanPath>();

  /** @param given values of the caller, which win over the plan's defaults */
  constructor(draft: PlanDraft, given: Readonly<Record<string, string>>, isStrict: boolean) {
    this.#draft = draft;
    this.#isStrict = isStrict;
    this.#given = new Map(Object.entries(given));
    this.#declared = readDeclarations(draft.value["variables"], this.#given);
  }

  /** Replaces the references in one string of the plan and reports those that have no value. */
  replace(text: string, path: PlanPath): string {
    if (!text.includes("$")) return text;
    const unresolved = new Set<string>();
    const ownSecrets: string[] = [];
    const replaced = text.replace(REFERENCE, (reference: string, name: string | undefined) => {
      if (name === undefined) return "$";
      if (name.startsWith("secret:")) {
        ownSecrets.push(reference);
        return reference;
      }
      const value = this.#use(name, path);
      if (value === undefined && !this.#declared.has(name)) unresolved.add(name);
      return value ?? reference;
    });
    for (const name of unresolved) this.#addUnresolved(name, path);
    const secrets = replaced.match(SECRET_REFERENCE) ?? [];
    if (secrets.length !== ownSecrets.length) {
      this.#addInjectedSecret(secrets.find((secret) => !ownSecrets.includes(secret)) ?? "a secret", path);
    }
    return replaced;
  }

  /** Reports variables without a value and variables nobody uses. To be called after every string was replaced. */
  reportUse(): void {
    for (const [name, { value, isBroken }] of this.#declared) {
      const firstUse = this.#firstUses.get(name);
      if (firstUse === undefined) this.#addUnused(name, ["variables", name], `variable ${name} is never used`);
      else if (value === undefined && !isBroken) this.#addMissing(name, firstUse);
    }
    for (const name of this.#given.keys()) {
      if (this.#declared.has(name) || this.#firstUses.has(name)) continue;
      this.#addUnused(name, [], `variable ${name} was given, but the plan neither declares nor uses it`);
    }
  }

  /** Every variable that has a value. */
  values(): Record<string, string> {
    const declared = Array.from(this.#declared, ([name, { value }]) => [name, value] as const);
    const known = declared.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
    return Object.fromEntries([...known, ...this.#given]);
  }

  #use(name: string, path: PlanPath): string | undefined {
    if (!VARIABLE_NAME.test(name)) return undefined;
    if (!this.#firstUses.has(name)) this.#firstUses.set(name, [...path]);
    return this.#given.get(name) ?? this.#declared.get(name)?.value;
  }

  #addUnresolved(name: string, path: PlanPath): void {
    const reference = `\${${name}}`;
    const why = VARIABLE_NAME.test(name) ? `no variable is called ${name}` : "this is not a reference to a variable";
    this.#draft.add({
      severity: this.#isStrict ? "error" : "warning",
      code: "UNRESOLVED_VARIABLE",
      message: `${this.#draft.prefix(path)}${reference} stays as it is: ${why}`,
      path,
      near: reference,
      hint: `declare it under variables, or write $${reference} for the text itself`,
    });
  }

  #addMissing(name: string, firstUse: PlanPath): void {
    const place = this.#draft.describePlace(firstUse);
    this.#draft.add({
      code: "MISSING_VARIABLE",
      message: `variable ${name} has no value: it has no default and none was given, and ${place} uses it`,
      path: ["variables", name],
      at: "key",
      hint: `give ${name} a value when you submit the plan, or a default here`,
    });
  }

  #addUnused(name: string, path: PlanPath, message: string): void {
    const near = path.length === 0 ? {} : { near: name };
    this.#draft.add({ severity: "warning", code: "UNUSED_VARIABLE", message, path, at: "key", ...near });
  }

  /** A worker could not tell such a text from a secret the plan asks for. */
  #addInjectedSecret(secret: string, path: PlanPath): void {
    const rule = "only the plan itself may name a secret, in plain sight";
    const message = `${this.#draft.prefix(path)}a variable or $$ makes ${secret} here; ${rule}`;
    this.#draft.add({ code: "SECRET_INJECTED", message, path });
  }
}

function readDeclarations(section: unknown, given: ReadonlyMap<string, string>): Map<string, DeclaredVariable> {
  const declared = new Map<string, DeclaredVariable>();
  for (const [name, declaration] of Object.entries(isMap(section) ? section : {})) {
    const result = VariableSchema.safeParse(declaration);
    const fallback = result.data?.default;
    const value = given.get(name) ?? (fallback === undefined ? undefined : String(fallback));
    declared.set(name, { value, isBroken: !result.success });
  }
  return declared;
}
