import type { PlanCheck } from "@fanfold/schemas";
import type { ReactNode } from "react";
import type { ApiError } from "../api/api-error.ts";
import { ErrorState } from "../ui/states.tsx";
import { sortProblems } from "./field-problems.ts";

interface SummaryProps {
  /** What to do while there is nothing to check. */
  readonly invitation: string;
  readonly isEmpty: boolean;
  readonly check: PlanCheck | undefined;
  readonly error: ApiError | undefined;
}

/** In a sentence, whether a plan is valid. */
export function CheckSummary({ invitation, isEmpty, check, error }: SummaryProps): ReactNode {
  if (error !== undefined) return <ErrorState error={error} />;
  if (check === undefined) return <p className="faint">{isEmpty ? invitation : "Checking…"}</p>;
  const { fields } = sortProblems(check.problems);
  const missing = [...fields].flatMap(([name, { isMissing }]) => (isMissing ? [name] : []));
  if (missing.length > 0 && missing.length === check.problems.length) {
    return (
      <p role="status">
        {missing.length === 1 ? "One variable needs a value: " : `${missing.length} variables need values: `}
        {missing.join(", ")}.
      </p>
    );
  }
  const [count, phases] = [check.problems.length, check.phases.length];
  return (
    <p role="status" className={check.ok ? "" : "problem-text"}>
      {check.ok
        ? `The plan is valid: ${phases} ${phases === 1 ? "phase" : "phases"}.`
        : `${count} ${count === 1 ? "problem" : "problems"}.`}
    </p>
  );
}
