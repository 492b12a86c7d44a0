import type { CompiledPlan } from "@fanfold/schemas";
import type { PlanProblem } from "../plan/plan-problem.ts";
import { isReusable } from "./choose-reuse.ts";

/** A warning for each phase whose outputs are not reused, although the plan asks for it: nobody has seen its files. */
export function listNotReusable({ phases }: CompiledPlan): PlanProblem[] {
  const templates = [...new Set(phases.map(({ template }) => template))];
  return templates.flatMap((template, index) => {
    const phase = phases.find((one) => one.template === template);
    if (phase?.reuse === undefined || isReusable(phase)) return [];
    return [
      {
        severity: "warning",
        code: "NOT_REUSABLE",
        message: `phase ${template}: its outputs are not reused, for the content of its files is not known here`,
        path: ["phases", index, "cache"],
        file: "",
        line: 0,
        column: 0,
        frame: "",
        hint: 'declare a version of its work: cache: { version: "1" }',
      },
    ];
  });
}
