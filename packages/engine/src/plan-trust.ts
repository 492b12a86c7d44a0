import type { RunPlan } from "./run-states.ts";

/** Why the plan of a run must not be changed by this process, and what to do. */
export interface PlanDistrust {
  readonly why: string;
  readonly next_action: string;
}

/** Whether workers would refuse a plan that this process changes, or it would vouch for a forgery by signing it. */
export function distrustPlan(runId: string, { trust, hasSignature }: RunPlan): PlanDistrust | undefined {
  if (trust === "signed" || (trust === "unchecked" && !hasSignature)) return undefined;
  if (trust === "unchecked") {
    const why = `the plan of ${runId} is signed, and this process has no key to sign it with what is added`;
    return { why, next_action: "set FANFOLD_SIGNING_KEY for every scheduler, and for who changes plans" };
  }
  const why = `the plan of ${runId} is not what somebody with the deployment's key submitted, so nothing is added to it`;
  return { why, next_action: "submit the plan again with the key of the deployment" };
}
