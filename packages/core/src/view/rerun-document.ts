import type { PlanDiff } from "../plan/plan-diff.ts";
import type { RerunPlan, RerunProblem, RerunStep } from "../run/plan-rerun.ts";

/** What a rerun runs, as plain JSON, for programs. */
export interface RerunDocument {
  readonly run_id: string;
  readonly steps: readonly RerunStep[];
  readonly kept: readonly { readonly phase: string; readonly revision: number; readonly stale: boolean }[];
  readonly problems: readonly RerunProblem[];
  /** How its plan differs from the run's; `null` without another plan. */
  readonly plan_diff: {
    readonly changed: Readonly<Record<string, string>>;
    readonly rescheduled: Readonly<Record<string, string>>;
    readonly removed: readonly string[];
  } | null;
}

/** A rerun as plain JSON. */
export function rerunDocument(
  runId: string,
  { steps, kept, problems, diff }: RerunPlan & { readonly diff: PlanDiff | undefined },
): RerunDocument {
  return {
    run_id: runId,
    steps,
    kept: kept.map(({ phase, revision, isStale }) => ({ phase, revision, stale: isStale })),
    problems,
    plan_diff:
      diff === undefined
        ? null
        : {
            changed: Object.fromEntries(diff.changed),
            rescheduled: Object.fromEntries(diff.rescheduled),
            removed: diff.removed,
          },
  };
}
