import type { PlanInput } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { diffPlans } from "../../src/plan/plan-diff.ts";

const A = { id: "a", command: "echo", args: ["${WORD}"] };
const PHASES = [
  A,
  { id: "b", command: "echo", depends_on: ["a"], condition: 'vars.WORD == "x"' },
  { id: "c", command: "echo", retries: 1 },
];
const PLAN = { plan_id: "p", version: "1", variables: { WORD: { default: "x" } }, phases: PHASES } satisfies PlanInput;

function diff(after: PlanInput, variables: Record<string, string> = {}): string {
  const [old, later] = [compilePlanValue(PLAN), compilePlanValue(after, { variables })];
  if (!old.ok || !later.ok) throw new Error("a plan is invalid");
  const { changed, rescheduled, removed } = diffPlans(old.plan, later.plan);
  return [
    ...Array.from(changed, ([phase, what]) => `${phase}: ${what}`),
    ...Array.from(rescheduled, ([phase, what]) => `(${phase}: ${what})`),
    ...removed.map((phase) => `-${phase}`),
  ].join("; ");
}

test("a plan is the same as itself, whatever it is called", () => {
  expect(diff({ ...PLAN, version: "2", description: "another" })).toBe("");
});

test("tells what of a phase has changed, what is new and what is gone", () => {
  const phases = [{ ...A, args: ["y"], env: { X: "1" } }, ...PHASES.slice(1, 2), { id: "d", command: "true" }];
  expect(diff({ ...PLAN, phases })).toBe("a: work, env; d: new; -c");
});

test("tells apart what has no effect on outputs", () => {
  const phases = PHASES.map((phase) => ({ ...phase, retries: 3, timeout_sec: 5, tags: ["x"] }));
  expect(diff({ ...PLAN, phases })).toBe(
    "(a: retry, timeout_sec, tags); (b: retry, timeout_sec, tags); (c: retry, timeout_sec, tags)",
  );
});

test("another value of a variable reaches those that use it, in a condition too; the plan's env reaches all", () => {
  expect(diff(PLAN, { WORD: "y" })).toBe("a: work; b: variables");
  expect(diff({ ...PLAN, globals: { env: { A: "1" } } })).toBe("a: globals.env; b: globals.env; c: globals.env");
});
