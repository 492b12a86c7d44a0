/** Every kind of problem a plan can have. Callers branch on these, never on the text of a message. */
export const PLAN_PROBLEM_CODES = [
  // the text
  "YAML_SYNTAX",
  "JSON_SYNTAX",
  "UNKNOWN_TAG",
  "UNKNOWN_ALIAS",
  "DUPLICATE_KEY",
  "TOO_LARGE",
  "EMPTY_PLAN",
  "NOT_A_MAP",
  // the structure
  "STEPS_AND_PHASES",
  "UNKNOWN_KEY",
  "NOT_SUPPORTED",
  "MISSING_KEY",
  "WRONG_TYPE",
  "OUT_OF_RANGE",
  "BAD_ENUM",
  "INVALID_VALUE",
  // the variables
  "MISSING_VARIABLE",
  "UNRESOLVED_VARIABLE",
  "UNUSED_VARIABLE",
  "BAD_VARIABLE",
  "BAD_PATTERN",
  "SECRET_INJECTED",
  "SECRET_LITERAL",
  // the meaning
  "DUPLICATE_PHASE",
  "UNKNOWN_DEPENDENCY",
  "DUPLICATE_DEPENDENCY",
  "CYCLE",
  "MISSING_WORK",
  "CONFLICTING_WORK",
  "MISPLACED_FIELD",
  "PATH_ESCAPES",
  "UNKNOWN_ARTIFACT",
  "ARTIFACT_NOT_UPSTREAM",
  "DUPLICATE_ARTIFACT",
  "UNKNOWN_DIMENSION",
  "EMPTY_MATRIX",
  "NO_INSTANCE",
  "OVER_JOINS",
  "BAD_CONDITION",
  "UNKNOWN_PRICE",
  "UNREACHABLE_PHASE",
  "NOT_REUSABLE",
  // the caller's selection
  "UNKNOWN_SELECTION",
  "EMPTY_SELECTION",
] as const;

/** Kind of a problem. */
export type PlanProblemCode = (typeof PLAN_PROBLEM_CODES)[number];

/** Keys and indexes that lead from the top of a plan to one of its values. */
export type PlanPath = readonly (string | number)[];

/** One thing that is wrong, or doubtful, in a plan. */
export interface PlanProblem {
  severity: "error" | "warning";
  code: PlanProblemCode;
  /** What is wrong, with the value; a sentence in lower case without a full stop. */
  message: string;
  /** Where it is, as the author spelled it (`steps` stays `steps`). */
  path: (string | number)[];
  file: string;
  /** Counts from 1; 0 for a plan that has no text. */
  line: number;
  /** Counts from 1 in UTF-16 units; 0 for a plan that has no text. */
  column: number;
  /** The line with its neighbours, a `>` before it and a `^` below the place; empty for a plan that has no text. */
  frame: string;
  /** What to do about it. */
  hint?: string;
}
