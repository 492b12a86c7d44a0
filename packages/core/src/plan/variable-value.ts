import type { Variable } from "@fanfold/schemas";
import { joinNames, quote } from "./describe-value.ts";
import { isRiskyPattern } from "./pattern-risk.ts";

/** Longest value that is matched against a pattern, in characters. */
const MAX_MATCHED_LENGTH = 10_000;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;

/** What a pattern is: an expression to match whole values, or the reason why it is none. */
export type ReadPattern =
  | { readonly ok: true; readonly expression: RegExp }
  | { readonly ok: false; readonly why: string };

/** Whether a text is a number in decimal notation, and not larger than numbers go. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text) && Number.isFinite(Number(text));
}

/** Reads the pattern of a variable. One that could keep the process busy for ever is refused. */
export function readPattern(pattern: string): ReadPattern {
  // By itself first: in brackets, it could close them.
  const alone = readExpression(pattern);
  if (typeof alone === "string") return { ok: false, why: `${quote(pattern)} is not a regular expression: ${alone}` };
  if (isRiskyPattern(alone.source)) {
    return { ok: false, why: `${quote(pattern)} repeats a part that repeats itself, and may take for ever to match` };
  }
  return { ok: true, expression: new RegExp(`^(?:${alone.source})$`, "u") };
}

/** The expression, or the reason why it is none. */
function readExpression(pattern: string): RegExp | string {
  try {
    return new RegExp(pattern, "u");
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.replace(/^.*\/u: /su, "").toLowerCase();
  }
}

/**
 * What a value should be, where it is not that; undefined where it is.
 *
 * @returns the rest of a sentence that starts with "it must be", such as `true or false`
 */
export function findExpectation(value: string, { type, values, pattern }: Variable): string | undefined {
  if (type === "number" && !isDecimal(value)) return "a number, such as 5 or -0.25";
  if (type === "boolean" && value !== "true" && value !== "false") return "true or false";
  if (type === "enum" && values?.includes(value) === false) return joinNames(values, "or");
  if (pattern === undefined) return undefined;
  if (value.length > MAX_MATCHED_LENGTH) return `at most ${MAX_MATCHED_LENGTH} characters long, as it has a pattern`;
  const read = readPattern(pattern);
  return read.ok && !read.expression.test(value)
    ? `text that matches ${pattern} from its beginning to its end`
    : undefined;
}
