import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { planOf, problemsOf, samplePlan } from "./plan-samples.ts";

const PHASE_COUNT = 10_000;

function largePlan(fields: (index: number) => Record<string, unknown>) {
  return samplePlan(Array.from({ length: PHASE_COUNT }, (_, index) => ({ id: `phase_${index}`, ...fields(index) })));
}

/** Each would take minutes if any check compared phases with phases; the time limit only tells seconds from minutes. */
describe("ten thousand phases", { timeout: 20_000 }, () => {
  test("compile in a chain, each reading from a phase far above", () => {
    const plan = largePlan((index) => ({
      command: "x",
      depends_on: index === 0 ? [] : [`phase_${index - 1}`],
      consumes: index === 0 ? [] : [`phase_${(index * 7919) % index}`],
    }));
    expect(planOf(compilePlanValue(plan)).phases).toHaveLength(PHASE_COUNT);
  });

  test("are told of a circle through all of them", () => {
    const plan = largePlan((index) => ({ command: "x", depends_on: [`phase_${(index + 1) % PHASE_COUNT}`] }));
    expect(problemsOf(compilePlanValue(plan))).toMatchObject([{ code: "CYCLE" }]);
  });

  test("are told of a knot in which everything depends on everything around", () => {
    const plan = largePlan((index) => ({
      command: "x",
      depends_on: Array.from({ length: 10 }, (_, step) => `phase_${(index * 31 + step * 97) % PHASE_COUNT}`),
    }));
    const problems = problemsOf(compilePlanValue(plan));
    expect(problems).toHaveLength(50);
    expect(problems.at(-1)?.hint).toBe("there may be more cycles; these are the first 50");
  });

  test("are told of a fault in each", () => {
    const plan = largePlan((index) => ({ comand: "x", depends_on: [`phaze_${index}`], retries: -1 }));
    expect(problemsOf(compilePlanValue(plan))).toHaveLength(3 * PHASE_COUNT);
  });
});
