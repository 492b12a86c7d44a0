import { expect } from "vitest";
import { type CompileOptions, type CompileResult, compilePlanText } from "../../src/plan/compile-plan.ts";
import type { PlanProblem } from "../../src/plan/plan-problem.ts";

/** A phase as a test writes it. */
export type SamplePhase = Record<string, unknown>;

/** A plan around some phases; `extra` adds to the top level or replaces it. */
export function samplePlan(phases: readonly SamplePhase[], extra: Record<string, unknown> = {}) {
  return { plan_id: "sample", version: "1", phases, ...extra };
}

/** Compiles YAML text; `phases` in it starts at line 3. */
export function compileYaml(body: string, options?: CompileOptions): CompileResult {
  return compilePlanText({ text: `plan_id: sample\nversion: "1"\n${body}`, file: "plan.yaml" }, options);
}

/** The compiled plan of a result that has to be one. */
export function planOf(result: CompileResult) {
  expect(result).toMatchObject({ ok: true });
  if (!result.ok) throw new Error("the plan was refused");
  return result.plan;
}

/** Everything a result reports, warnings included. */
export function problemsOf(result: CompileResult): PlanProblem[] {
  return result.ok ? result.warnings : result.problems;
}

/** One line for each problem: `CODE line:column message (hint)`. */
export function summaryOf(result: CompileResult): string[] {
  return problemsOf(result).map(({ code, line, column, message, hint }) => {
    const place = line > 0 ? ` ${line}:${column}` : "";
    return `${code}${place} ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}
