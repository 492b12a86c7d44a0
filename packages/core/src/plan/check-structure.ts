import { type Plan, PlanSchema } from "@fanfold/schemas";
import { describeIssue } from "./describe-issue.ts";
import { formatPath } from "./plan-path.ts";
import type { PlanDraft } from "./plan-draft.ts";

/** Checks a plan against its schema and reports all that does not fit. Of one value only the first fault is told. */
export function checkStructure(draft: PlanDraft): Plan | undefined {
  const result = PlanSchema.safeParse(draft.value);
  if (result.success) return result.data;
  const told = new Set<string>();
  for (const problem of result.error.issues.flatMap((issue) => describeIssue(issue, draft))) {
    const key = problem.code === "MISSING_KEY" ? problem.message : formatPath(problem.path);
    if (told.has(key)) continue;
    told.add(key);
    draft.add(problem);
  }
  return undefined;
}
