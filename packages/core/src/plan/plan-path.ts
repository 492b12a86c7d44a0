import type { PlanPath } from "./plan-problem.ts";

/** Writes a path as authors know it: `phases[2].depends_on[0].when`. */
export function formatPath(path: PlanPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** Whether a value is a map of keys, as against a list, a scalar or an instance of some class. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Value at a path; undefined where there is none. */
export function findValue(root: unknown, path: PlanPath): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === "number") value = value[part];
    else if (isMap(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}
