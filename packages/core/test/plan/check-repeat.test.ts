import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { planOf, samplePlan, summaryOf } from "./plan-samples.ts";

function compile(fields: Record<string, unknown>) {
  return compilePlanValue(samplePlan([{ id: "a", command: "x", ...fields }]));
}

describe("repeat_until", () => {
  test("has ten iterations unless the plan names another number, and stays as it is written", () => {
    expect(planOf(compile({ repeat_until: 'output == "$${X}"' })).phases[0]?.repeat).toEqual({
      until: 'output == "$${X}"',
      max_iterations: 10,
    });
    expect(planOf(compile({ repeat_until: "output.ok", max_iterations: 2 })).phases[0]?.repeat?.max_iterations).toBe(2);
  });

  test.each([
    [{ max_iterations: 2 }, "MISSING_KEY max_iterations needs repeat_until, which says when it is done"],
    [
      { repeat_until: "output.ok", shard: { strategy: "full" } },
      "MISPLACED_FIELD repeat_until repeats a phase as a whole; it does not go with shard",
    ],
    [{ repeat_until: "iteration" }, "BAD_CONDITION repeat_until is wrong: it gives int, not true or false"],
    [{ repeat_until: "output.ok", max_iterations: 0 }, "OUT_OF_RANGE max_iterations must be at least 1, not 0"],
  ])("has to make sense: %j", (fields, expected) => {
    expect(summaryOf(compile(fields)).map((line) => line.replace('phase "a": ', ""))).toEqual([expected]);
  });
});
