import { findCredentials, isCredentialName } from "./credential.ts";
import type { PlanDraft } from "./plan-draft.ts";
import { findValue, formatPath, isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";
import { hasReference } from "./substitute.ts";

const HINT = "write ${secret:NAME}: workers put in the value, and it is stored nowhere";

/** Warns of credentials that a plan or its caller spells out, and keeps them out of messages and frames. */
export class CredentialCheck {
  readonly #draft: PlanDraft;
  /** Places that were warned of: a value may give itself away by its name and by its form. */
  readonly #told = new Set<string>();

  constructor(draft: PlanDraft) {
    this.#draft = draft;
  }

  /** Looks at one string of the plan as its author wrote it. */
  checkText(text: string, path: PlanPath): void {
    const found = findCredentials(text);
    if (found.length === 0) return;
    for (const credential of found) this.#draft.hide(path, credential);
    this.#warn(path, `${this.#draft.subject(path) || "the plan"} contains what looks like a credential`);
  }

  /** Looks at everything whose name may be that of a credential. */
  checkNames(authored: Record<string, unknown>, given: Readonly<Record<string, string>>): void {
    this.#checkEnv(authored, ["globals", "env"]);
    const phases = authored["phases"];
    for (const index of Array.isArray(phases) ? phases.keys() : []) this.#checkEnv(authored, ["phases", index, "env"]);
    const variables = authored["variables"];
    for (const [name, declaration] of Object.entries(isMap(variables) ? variables : {})) {
      this.#checkVariable(name, declaration);
    }
    for (const [name, value] of Object.entries(given)) this.#checkGiven(name, value, isMap(variables) ? variables : {});
  }

  #checkEnv(authored: Record<string, unknown>, path: PlanPath): void {
    const env = findValue(authored, path);
    for (const [name, value] of Object.entries(isMap(env) ? env : {})) this.#checkNamed(name, value, [...path, name]);
  }

  #checkVariable(name: string, declaration: unknown): void {
    if (!isMap(declaration)) return;
    for (const [field, value] of Object.entries(declaration)) {
      if (field === "default") this.#checkNamed(name, value, ["variables", name, field]);
      if (typeof value === "string") this.checkText(value, ["variables", name, field]);
    }
  }

  #checkNamed(name: string, value: unknown, path: PlanPath): void {
    if (!isCredentialName(name) || !isLiteral(value)) return;
    this.#draft.hide(path, String(value));
    this.#warn(path, `${this.#draft.subject(path)} looks like a credential in plain text`);
  }

  #checkGiven(name: string, value: string, variables: Record<string, unknown>): void {
    const found = findCredentials(value);
    const isCredential = found.length > 0 || (isCredentialName(name) && isLiteral(value));
    if (!isCredential) return;
    const path = Object.hasOwn(variables, name) ? ["variables", name] : [];
    for (const credential of [...found, value]) this.#draft.hideGiven(credential);
    this.#warn(path, `variable ${name} is given what looks like a credential, and would be stored with the run`);
  }

  #warn(path: PlanPath, message: string): void {
    const place = formatPath(path) || message;
    if (this.#told.has(place)) return;
    this.#told.add(place);
    this.#draft.add({ severity: "warning", code: "SECRET_LITERAL", message, path, hint: HINT });
  }
}

/** Whether a value is spelled out rather than put together from references. A switch is no credential. */
function isLiteral(value: unknown): boolean {
  if (typeof value === "number") return true;
  return typeof value === "string" && value !== "" && value !== "true" && value !== "false" && !hasReference(value);
}
