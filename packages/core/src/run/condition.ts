import type { CompiledPhase, PhaseRecord } from "@fanfold/schemas";
import { evaluate } from "@marcbachmann/cel-js";
import { parseOutput } from "./parse-output.ts";

/** Verdict of a phase's condition. `failed`: the expression cannot be evaluated, or is not a yes-or-no question. */
export type ConditionVerdict =
  | { readonly kind: "true" }
  | { readonly kind: "false" }
  | { readonly kind: "failed"; readonly why: string };

/** What a condition may look at. */
export interface ConditionFacts {
  readonly variables: Readonly<Record<string, string>>;
  /** Phases before this one, by id. */
  readonly phases: ReadonlyMap<string, PhaseRecord>;
}

/**
 * Evaluates the condition of a phase: a CEL expression over `vars` (text), `phases.<id>.status`, `outputs.<id>`
 * (the output of a phase: its JSON value, its records as a list, or its text) and `matrix`. Pure.
 */
export function evaluateCondition(phase: CompiledPhase, facts: ConditionFacts): ConditionVerdict {
  if (phase.condition === null) return { kind: "true" };
  const phases: Record<string, unknown> = Object.create(null);
  const outputs: Record<string, unknown> = Object.create(null);
  for (const [id, { status, revision, artifacts }] of facts.phases) {
    phases[id] = { status, revision };
    const [output] = artifacts ?? [];
    if (output?.inline !== undefined) outputs[id] = parseOutput(output.inline);
  }
  try {
    const context = {
      vars: { ...facts.variables },
      phases: { ...phases },
      outputs: { ...outputs },
      matrix: { ...phase.matrix },
    };
    const value: unknown = evaluate(phase.condition, context);
    if (typeof value === "boolean") return { kind: value ? "true" : "false" };
    return { kind: "failed", why: `condition ${phase.condition} gave ${toText(value)}, not true or false` };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { kind: "failed", why: `condition ${phase.condition} cannot be evaluated: ${why}` };
  }
}

/** A value as JSON; the whole numbers of an expression are bigints, which JSON does not know. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? Number(part) : part));
}
