import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { PlanGraph } from "../../src/plan/plan-graph.ts";
import { planOf, samplePlan } from "./plan-samples.ts";

function graphOf(phases: { id: string; depends_on?: unknown[] }[]): PlanGraph {
  const declared = phases.map((phase) => ({ command: "x", ...phase }));
  return new PlanGraph(planOf(compilePlanValue(samplePlan(declared))));
}

const diamond = graphOf([
  { id: "end", depends_on: ["left", { phase: "right", kind: "soft", when: "failure" }] },
  { id: "left", depends_on: ["start"] },
  { id: "right", depends_on: ["start"] },
  { id: "start" },
]);

describe("the graph of a plan", () => {
  test("keeps the declaration order", () => {
    expect(diamond.ids).toEqual(["end", "left", "right", "start"]);
    expect(diamond.index("right")).toBe(2);
    expect(diamond.phase("right").id).toBe("right");
  });

  test("knows the edges out of a phase", () => {
    expect(diamond.dependents("start")).toEqual([
      { phase: "left", kind: "hard", when: "success" },
      { phase: "right", kind: "hard", when: "success" },
    ]);
    expect(diamond.dependents("right")).toEqual([{ phase: "end", kind: "soft", when: "failure" }]);
    expect(diamond.dependents("end")).toEqual([]);
  });

  test("knows all phases before a phase", () => {
    expect(diamond.ancestors("end")).toEqual(new Set(["left", "right", "start"]));
    expect(diamond.ancestors("start")).toEqual(new Set());
  });

  test("throws for a phase it does not have", () => {
    expect(() => diamond.phase("nobody")).toThrow(expect.objectContaining({ code: "UNKNOWN_PHASE" }));
    expect(() => diamond.dependents("nobody")).toThrow("phase nobody is not in this plan");
  });

  test("has ancestors that are exactly the dependencies and their ancestors, and edges that mirror depends_on", () => {
    const picks = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(picks, (rows) => {
        const graph = graphOf(
          rows.map((row, index) => ({
            id: `p${index}`,
            depends_on: [...new Set(index === 0 ? [] : row.map((pick) => `p${pick % index}`))],
          })),
        );
        for (const id of graph.ids) {
          const parents = graph.phase(id).depends_on.map(({ phase }) => phase);
          const expected = new Set(parents.flatMap((parent) => [parent, ...graph.ancestors(parent)]));
          expect(graph.ancestors(id)).toEqual(expected);
          expect(expected.has(id)).toBe(false);
          for (const parent of parents) expect(graph.dependents(parent).map(({ phase }) => phase)).toContain(id);
        }
        const edgesIn = graph.ids.flatMap((id) => graph.phase(id).depends_on);
        expect(graph.ids.flatMap((id) => graph.dependents(id))).toHaveLength(edgesIn.length);
      }),
    );
  });
});
