import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, type SamplePhase, samplePlan, summaryOf } from "./plan-samples.ts";

function summary(...phases: SamplePhase[]): string[] {
  return summaryOf(compilePlanValue(samplePlan(phases.map((phase) => ({ command: "x", ...phase })))));
}

const on = (phase: string, when: string) => ({ phase, when });
const LOOSE = { on_failure: "skip_dependents" };

describe("a phase that can never start is warned of", () => {
  test("when it needs a phase that is disabled", () => {
    expect(
      summary({ id: "a", enabled: false }, { id: "b", depends_on: ["a"] }, { id: "c", depends_on: ["b"] }),
    ).toEqual([
      'UNREACHABLE_PHASE phase "b": cannot start: it needs "a", which is disabled (enable "a", or make the dependency soft)',
    ]);
    expect(summary({ id: "a", enabled: false }, { id: "b", depends_on: [{ phase: "a", kind: "soft" }] })).toEqual([]);
  });

  test("when it waits for a failure that ends the run", () => {
    const handler = { id: "b", depends_on: [on("a", "failure")] };
    expect(summary({ id: "a" }, handler)).toEqual([
      'UNREACHABLE_PHASE phase "b": cannot start: it waits for "a" to fail, and that ends the run (give "a" on_failure: skip_dependents or continue)',
    ]);
    for (const fields of [LOOSE, { on_failure: "continue" }, { critical: false }]) {
      expect(summary({ id: "a", ...fields }, handler)).toEqual([]);
    }
    expect(summary({ id: "a" }, { id: "b", depends_on: [on("a", "always")] })).toEqual([]);
  });

  test("when it needs the same phase to succeed and to fail, on whatever ways, once", () => {
    const phases = [
      { id: "a", ...LOOSE },
      { id: "good", depends_on: ["a"], ...LOOSE },
      { id: "bad", depends_on: [on("a", "failure")], ...LOOSE },
      { id: "later", depends_on: ["good"] },
      { id: "both", depends_on: ["later", "bad"] },
      { id: "end", depends_on: ["both"] },
    ];
    expect(summary(...phases)).toEqual([
      'UNREACHABLE_PHASE phase "both": cannot start: it needs "a" both to succeed and to fail',
    ]);
  });

  test("but not when either way may have been left out, or a failure counts for a success", () => {
    const good = { id: "good", depends_on: ["a"], ...LOOSE };
    const bad = { id: "bad", depends_on: [on("a", "failure")], ...LOOSE };
    const join = (when: string) => ({ id: "both", depends_on: [on("good", when), "bad"] });
    expect(summary({ id: "a", ...LOOSE }, good, bad, join("always"))).toEqual([]);
    expect(summary({ id: "a", on_failure: "continue" }, good, bad, join("success"))).toEqual([]);
    expect(summary({ id: "a", ...LOOSE }, good, bad, join("failure"))).toHaveLength(1);
  });

  test("once for all its instances, at the dependency", () => {
    const body = `phases:
  - { id: a, command: x, matrix: { l: [fr, ja] } }
  - { id: b, command: x, matrix: { l: [fr, ja] }, depends_on: [{ phase: a, when: failure }] }
`;
    expect(summaryOf(compileYaml(body))).toEqual([
      expect.stringMatching(/^UNREACHABLE_PHASE 5:64 phase "b": cannot start: it waits for "a\[l=fr\]" to fail/),
    ]);
    expect(compileYaml(body, { strict: true }).ok).toBe(false);
  });

  test("is not warned of where it takes no part", () => {
    const plan = samplePlan([
      { id: "a", command: "x" },
      { id: "b", command: "x", depends_on: [on("a", "failure")] },
    ]);
    expect(summaryOf(compilePlanValue(plan, { selection: { skip: ["b"] } }))).toEqual([]);
  });
});

test("ten thousand phases with a failure handler each are looked through in time", { timeout: 60_000 }, () => {
  const phases = Array.from({ length: 5_000 }, (_, index) => [
    { id: `a${index}`, ...LOOSE, depends_on: index === 0 ? [] : [`a${index - 1}`] },
    { id: `b${index}`, depends_on: [on(`a${index}`, "failure")] },
  ]);
  expect(summary(...phases.flat())).toEqual([]);
});
