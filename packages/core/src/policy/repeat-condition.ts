import { Environment, evaluate, ParseError } from "@marcbachmann/cel-js";
import { parseOutput } from "../run/parse-output.ts";

/** Whether a phase has done what it runs again and again for. */
export type RepeatVerdict =
  | { readonly kind: "done" }
  | { readonly kind: "again" }
  | { readonly kind: "failed"; readonly why: string };

const ENVIRONMENT = new Environment().registerVariable("output", "dyn").registerVariable("iteration", "int");

/** What is wrong with a condition of `repeat_until`, as far as that can be told before there is an output. */
export function findRepeatFault(expression: string): string | undefined {
  try {
    const { valid, type = "", error } = ENVIRONMENT.parse(expression).check();
    if (!valid) return sentence(error?.summary ?? "it cannot be read");
    return type === "bool" || type === "dyn" ? undefined : `it gives ${type}, not true or false`;
  } catch (error) {
    return sentence(error instanceof ParseError ? error.summary : String(error));
  }
}

/**
 * Evaluates a condition of `repeat_until` over `output` (its JSON value, its records as a list, or its text) and
 * `iteration`, counted from 1. Pure.
 */
export function evaluateRepeat(expression: string, output: string, iteration: number): RepeatVerdict {
  try {
    const value: unknown = evaluate(expression, { output: parseOutput(output), iteration: BigInt(iteration) });
    if (typeof value === "boolean") return { kind: value ? "done" : "again" };
    return { kind: "failed", why: `repeat_until ${expression} gave neither true nor false` };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { kind: "failed", why: `repeat_until ${expression} cannot be evaluated: ${why}` };
  }
}

function sentence(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
