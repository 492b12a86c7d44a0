import type { PlanCheck } from "@fanfold/schemas";
import type { ReactNode } from "react";

interface ProblemListProps {
  readonly problems: readonly PlanCheck["problems"][number][];
  /** Undefined where the plan cannot be changed. */
  readonly onGoTo: ((line: number, column: number) => void) | undefined;
}

/** What is wrong with a plan, each with a way to its place. */
export function ProblemList({ problems, onGoTo }: ProblemListProps): ReactNode {
  if (problems.length === 0) return null;
  return (
    <ul className="problems" aria-label="Problems of the plan">
      {problems.map(({ severity, code, message, line, column, hint }, index) => (
        <li key={`${code} ${line} ${column} ${index}`} className={`problem-${severity}`}>
          <span className="tag">{severity}</span>{" "}
          {line > 0 && onGoTo !== undefined ? (
            <button type="button" className="link mono" onClick={() => onGoTo(line, column)}>
              {line}:{column}
            </button>
          ) : null}{" "}
          {message}
          {hint === undefined ? null : <span className="faint"> {hint}</span>}
        </li>
      ))}
    </ul>
  );
}
