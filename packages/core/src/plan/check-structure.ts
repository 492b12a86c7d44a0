import { type Plan, PlanSchema } from "@fanfold/schemas";
import { describeIssue } from "./describe-issue.ts";
import { formatPath } from "./plan-path.ts";
import type { DraftProblem, PlanDraft } from "./plan-draft.ts";

/** Checks a plan against its schema and reports all that does not fit. Of one value only the first fault is told. */
export function checkStructure(draft: PlanDraft): Plan | undefined {
  const result = PlanSchema.safeParse(draft.value);
  if (result.success) return result.data;
  const told = new Set<string>();
  for (const problem of result.error.issues.flatMap((issue) => describeIssue(issue, draft))) {
    const key = problem.code === "MISSING_KEY" ? problem.message : formatPath(problem.path);
    if (told.has(key) || isAnsweredByStages(problem, draft)) continue;
    told.add(key);
    draft.add(problem);
  }
  return undefined;
}

/** Phases may all stand in stages; where that says nothing of them, what is wrong with the stages is told instead. */
function isAnsweredByStages({ code, message, path }: DraftProblem, draft: PlanDraft): boolean {
  const isMissingList = code === "MISSING_KEY" && path.length === 0 && message.startsWith('"phases"');
  return isMissingList && draft.value["stages"] !== undefined;
}
