import type { RunPlan } from "@fanfold/engine";
import type { Failure } from "@fanfold/schemas";

/**
 * Why this worker must not run a plan's work: it has a key, and the plan was not signed with it, or is another one now.
 * Undefined when it may.
 */
export function findDistrust(runId: string, { trust }: RunPlan): Failure | undefined {
  if (trust === "unsigned") {
    return {
      error_code: "PLAN_UNSIGNED",
      why: `this worker runs signed plans only, and ${runId} was submitted without a key`,
      next_action: "set FANFOLD_SIGNING_KEY where plans are submitted to the workers' key, and submit the plan again",
    };
  }
  if (trust !== "altered") return undefined;
  return {
    error_code: "PLAN_ALTERED",
    why: `the plan of ${runId} is not the one that was signed, or was signed with another key`,
    next_action:
      "compare FANFOLD_SIGNING_KEY of the submitter and of the workers; if they agree, somebody changed Redis",
  };
}
