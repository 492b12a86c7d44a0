import { isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";

/** Values a plan may hold once its aliases are written out. */
const MAX_VALUES = 2_000_000;
/** Lists and maps inside each other that a plan may have once its aliases are written out. */
const MAX_DEPTH = 200;
/** Parts of a path that is too long which a problem names. */
const MAX_NAMED_DEPTH = 10;

/** Outcome of {@link replaceStrings}: the copy, or where the plan turned out to be too large. */
export type ReplacedStrings =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly path: PlanPath; readonly message: string };

/**
 * Copies a plan with every string value replaced; keys and the section `variables` are left alone. Shared parts
 * (aliases) become copies of their own, within a bound on the whole, and a plan that contains itself is refused.
 */
export function replaceStrings(
  plan: Record<string, unknown>,
  replace: (text: string, path: PlanPath) => string,
): ReplacedStrings {
  const copier = new Copier(replace);
  const { variables, ...rest } = plan;
  const value = copier.copyMap(rest);
  if (copier.failure !== undefined) return { ok: false, ...copier.failure };
  return { ok: true, value: variables === undefined ? value : { ...value, variables } };
}

class Copier {
  failure: { path: PlanPath; message: string } | undefined;
  readonly #replace: (text: string, path: PlanPath) => string;
  readonly #path: (string | number)[] = [];
  #valueCount = 0;

  constructor(replace: (text: string, path: PlanPath) => string) {
    this.#replace = replace;
  }

  copyMap(map: Record<string, unknown>): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (const key of Object.keys(map)) entries.push([key, this.#copyChild(key, map[key])]);
    return Object.fromEntries(entries);
  }

  #copyChild(key: string | number, value: unknown): unknown {
    if (this.failure !== undefined) return undefined;
    this.#valueCount += 1;
    this.#path.push(key);
    if (this.#valueCount > MAX_VALUES) this.#fail(`the plan has more than ${MAX_VALUES} values`);
    else if (this.#path.length > MAX_DEPTH) this.#fail(`lists and maps are nested more than ${MAX_DEPTH} deep here`);
    const copy = this.failure === undefined ? this.#copy(value) : undefined;
    this.#path.pop();
    return copy;
  }

  #copy(value: unknown): unknown {
    if (typeof value === "string") return this.#replace(value, this.#path);
    if (Array.isArray(value)) return Array.from(value, (item: unknown, index) => this.#copyChild(index, item));
    return isMap(value) ? this.copyMap(value) : value;
  }

  #fail(message: string): void {
    this.failure = { path: this.#path.slice(0, MAX_NAMED_DEPTH), message };
  }
}
