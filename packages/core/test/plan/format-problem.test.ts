import { expect, test } from "vitest";
import { formatProblem } from "../../src/plan/format-problem.ts";
import type { PlanProblem } from "../../src/plan/plan-problem.ts";

const problem: PlanProblem = {
  severity: "error",
  code: "UNKNOWN_KEY",
  message: 'unknown key "phase"',
  path: ["phase"],
  file: "plan.yaml",
  line: 2,
  column: 1,
  frame: "> 2 | phase: []\n    | ^",
};

test("a problem in a text starts with its position, and ends with its frame and hint", () => {
  expect(formatProblem({ ...problem, hint: 'did you mean "phases"?' })).toBe(
    'plan.yaml:2:1: error UNKNOWN_KEY: unknown key "phase"\n> 2 | phase: []\n    | ^\n  hint: did you mean "phases"?',
  );
});

test("a problem without a text shows its path", () => {
  const bare: PlanProblem = {
    ...problem,
    severity: "warning",
    path: ["phases", 1, "env"],
    file: "plan",
    line: 0,
    column: 0,
    frame: "",
  };
  expect(formatProblem(bare)).toBe('plan: warning UNKNOWN_KEY: unknown key "phase"\n  at phases[1].env');
});
