import { z } from "zod";

/** Any value JSON can spell. */
export type Json = z.core.util.JSONType;

/**
 * Any value JSON can spell, checked in one walk: it says nothing of where a value goes wrong. For what we wrote ourselves
 * and read often, such as stored plans and journals; `z.json()`, which tries one schema after another at each place, takes
 * ten times as long.
 */
export const JsonSchema: z.ZodType<Json> = z.any().refine(isJson, "not a JSON value");

function isJson(value: unknown): value is Json {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  return Array.isArray(value) ? value.every(isJson) : isPlain(value) && Object.values(value).every(isJson);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
