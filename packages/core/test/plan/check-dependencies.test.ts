import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, problemsOf, samplePlan, summaryOf } from "./plan-samples.ts";

function phase(id: string, ...dependsOn: unknown[]) {
  return { id, command: "x", depends_on: dependsOn };
}

function summary(...phases: Record<string, unknown>[]): string[] {
  return summaryOf(compilePlanValue(samplePlan(phases)));
}

describe("phase ids", () => {
  test("are unique; a second use names the first", () => {
    expect(summaryOf(compileYaml("phases:\n  - id: a\n    command: x\n  - id: a\n    command: y\n"))).toEqual([
      'DUPLICATE_PHASE 6:9 phase id "a" is already taken by the phase at plan.yaml:4:9',
    ]);
    expect(summary(phase("a"), phase("b"), phase("a"), phase("a"))).toEqual([
      'DUPLICATE_PHASE phase id "a" is already taken by the phase at phases[0].id',
      'DUPLICATE_PHASE phase id "a" is already taken by the phase at phases[0].id',
    ]);
  });
});

describe("dependencies", () => {
  test("have to exist", () => {
    expect(summary(phase("build"), phase("test", "biuld", { phase: "lint" }))).toEqual([
      'UNKNOWN_DEPENDENCY phase "test": depends on "biuld", but no phase has that id (did you mean "build"?)',
      'UNKNOWN_DEPENDENCY phase "test": depends on "lint", but no phase has that id',
    ]);
  });

  test("may name a phase that is declared later", () => {
    expect(summary(phase("a", "b"), phase("b"))).toEqual([]);
  });

  test("name a phase once, in whatever form", () => {
    expect(summary(phase("a"), phase("b", "a", { phase: "a", when: "failure" }))).toEqual([
      'DUPLICATE_DEPENDENCY phase "b": depends on "a" more than once',
    ]);
  });

  test("are checked in every phase, also in those with other faults", () => {
    expect(
      summary({ id: "a", command: 5, depends_on: ["x"] }, { id: "b", depends_on: "y", retries: -1, command: "x" }),
    ).toEqual([
      'WRONG_TYPE phase "a": command must be a string, not 5 (put it in quotes)',
      'WRONG_TYPE phase "b": depends_on must be a list, not "y" (write it as a list: [y])',
      'OUT_OF_RANGE phase "b": retries must be at least 0, not -1',
      'UNKNOWN_DEPENDENCY phase "a": depends on "x", but no phase has that id',
      'UNKNOWN_DEPENDENCY phase "b": depends on "y", but no phase has that id',
    ]);
  });
});

describe("cycles", () => {
  test.each([
    ["of one", [phase("a", "a")], ["a phase waits for itself: a -> a"]],
    ["of two", [phase("a", "b"), phase("b", "a")], ["phases wait for each other: a -> b -> a"]],
    ["of three", [phase("c", "b"), phase("b", "a"), phase("a", "c")], ["phases wait for each other: c -> b -> a -> c"]],
    [
      "apart from each other, with phases before and after",
      [phase("a"), phase("b", "a", "c"), phase("c", "b"), phase("d", "c"), phase("e", "e", "d")],
      ["phases wait for each other: b -> c -> b", "a phase waits for itself: e -> e"],
    ],
    [
      "that share a phase",
      [phase("a", "b", "c"), phase("b", "a"), phase("c", "b")],
      ["phases wait for each other: a -> b -> a", "phases wait for each other: a -> c -> b -> a"],
    ],
  ])("are printed, each once: %s", (_title, phases, expected) => {
    const problems = problemsOf(compilePlanValue(samplePlan(phases)));
    expect(problems.map(({ code, message }) => [code, message])).toEqual(expected.map((text) => ["CYCLE", text]));
  });

  test("point at the dependency that leads into them", () => {
    expect(
      summaryOf(
        compileYaml(
          "phases:\n  - { id: a, command: x, depends_on: [c, b] }\n  - { id: b, command: x, depends_on: [a] }\n  - { id: c, command: x }\n",
        ),
      ),
    ).toEqual(["CYCLE 4:42 phases wait for each other: a -> b -> a"]);
  });

  test("are shortened when nobody could read them", () => {
    const phases = Array.from({ length: 1_000 }, (_, index) => phase(`p${index}`, `p${(index + 1) % 1_000}`));
    expect(problemsOf(compilePlanValue(samplePlan(phases)))[0]?.message).toMatch(
      /p0 -> p1 -> .* -> p18 -> … \(981 more\) -> p0$/,
    );
  });
});

/** Graphs without a cycle: each phase depends on some phases before it, and the declaration order is shuffled. */
const acyclic = fc
  .array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { minLength: 2, maxLength: 12 })
  .map((picks) =>
    picks.map((pick, row) => phase(`p${row}`, ...new Set(row === 0 ? [] : pick.map((choice) => `p${choice % row}`)))),
  )
  .chain((phases) => fc.shuffledSubarray(phases, { minLength: phases.length }));

describe("any graph", () => {
  test("without a cycle compiles", () => {
    fc.assert(
      fc.property(acyclic, (phases) => {
        expect(summary(...phases)).toEqual([]);
      }),
    );
  });

  test("with an edge back to a phase that follows reports a cycle through that edge", () => {
    fc.assert(
      fc.property(acyclic, fc.nat(), fc.nat(), (phases, someChild, someAncestor) => {
        const children = phases.filter(({ depends_on }) => depends_on.length > 0);
        fc.pre(children.length > 0);
        const child = children.at(someChild % children.length) ?? phase("none");
        const ancestors = ancestorsOf(child.id, phases);
        const ancestor = ancestors.at(someAncestor % ancestors.length) ?? "none";
        const closed = phases.map((one) => (one.id === ancestor ? phase(one.id, ...one.depends_on, child.id) : one));
        const cycles = problemsOf(compilePlanValue(samplePlan(closed))).filter(({ code }) => code === "CYCLE");
        expect(cycles.length).toBeGreaterThan(0);
        expect(new Set(cycles.map(({ message }) => message)).size).toBe(cycles.length);
        for (const { message } of cycles) expect(message).toContain(`${ancestor} -> ${child.id}`);
      }),
    );
  });
});

function ancestorsOf(id: string, phases: { id: string; depends_on: unknown[] }[]): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    for (const next of phases.find((one) => one.id === name)?.depends_on ?? []) {
      found.add(String(next));
      visit(String(next));
    }
  };
  visit(id);
  return [...found].sort();
}
