import { describe, expect, test } from "vitest";
import { type CompileOptions, compilePlanText, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, summaryOf } from "./plan-samples.ts";

/** Phases with what they depend on, such as `b < a`. */
function edgesOf(text: string, options: CompileOptions = {}): string[] {
  const result = compilePlanText({ text: `plan_id: p\nversion: "1"\n${text}`, file: "plan.yaml" }, options);
  if (!result.ok) throw new Error(summaryOf(result).join("\n"));
  return result.plan.phases.map(({ id, depends_on }) => [id, ...depends_on.map(({ phase }) => phase)].join(" < "));
}

const STAGED = `
phases:
  - { id: lint, command: x }
  - { id: unit, command: x }
stages:
  - { id: build, phases: [{ id: compile, command: x }, { id: assets, command: x }] }
  - { id: test, phases: [unit, lint, { id: smoke, command: x, depends_on: [assets] }] }
  - { id: ship, jobs: [{ id: deploy, command: x }] }
`;

describe("stages", () => {
  test("make each phase wait for all of the stage before, unless it says what it depends on", () => {
    expect(edgesOf(STAGED)).toEqual([
      "lint < compile < assets",
      "unit < compile < assets",
      "compile",
      "assets",
      "smoke < assets",
      "deploy < unit < lint < smoke",
    ]);
  });

  test("leave alone what is in none of them, and an empty list of dependencies", () => {
    const text = `
phases: [{ id: other, command: x }, { id: now, command: x, depends_on: [] }]
stages:
  - { id: one, phases: [{ id: a, command: x }] }
  - { id: two, phases: [now] }
`;
    expect(edgesOf(text)).toEqual(["other", "now", "a"]);
  });

  test("may hold all phases of a plan, of which problems are told where they stand", () => {
    const text = `stages:
  - id: one
    phases:
      - { id: a, command: 5 }
  - id: two
    phases:
      - id: b
        comand: x
        consumes: [nothing]
`;
    expect(summaryOf(compileYaml(text))).toEqual([
      'WRONG_TYPE 6:27 phase "a": command must be a string, not 5 (put it in quotes)',
      'UNKNOWN_KEY 10:9 phase "b": unknown key "comand" (did you mean "command"?)',
      'UNKNOWN_ARTIFACT 11:20 phase "b": reads "nothing", but no phase provides it',
    ]);
  });

  test("join the instances of a matrix to those of the stage before", () => {
    const text = `stages:
  - { id: one, phases: [{ id: a, command: x, matrix: { os: [linux, mac] } }] }
  - { id: two, phases: [{ id: b, command: x, matrix: { os: [linux, mac] } }, { id: c, command: x }] }
`;
    expect(edgesOf(text).slice(2)).toEqual([
      "b[os=linux] < a[os=linux]",
      "b[os=mac] < a[os=mac]",
      "c < a[os=linux] < a[os=mac]",
    ]);
  });

  test.each([
    ["stages: 3", ["WRONG_TYPE 3:9 stages must be a list, not 3 (write it as a list: [3])"]],
    ["stages: [{ id: a, phases: [] }]", ["OUT_OF_RANGE 3:27 stages[0].phases must not be empty"]],
    ["stages: [{ id: a }]", ['MISSING_KEY 3:10 "phases" is missing in stages[0]']],
    [
      "stages: [{ id: a, phases: [b], jobs: [b], naem: x }]\nphases: [{ id: b, command: x }]",
      [
        "MISPLACED_FIELD 3:32 phases and jobs are two names of the same list; give one of them",
        'UNKNOWN_KEY 3:43 unknown key "naem" in stages[0] (did you mean "name"?)',
      ],
    ],
    [
      "phases: [{ id: build, command: x }]\nstages: [{ id: a, phases: [biuld] }, { id: a, phases: [build] }, { id: c, phases: [build] }]",
      [
        'UNKNOWN_PHASE 4:28 stage "a" has the phase "biuld", but no phase has that id (did you mean "build"?)',
        'DUPLICATE_STAGE 4:44 stage id "a" is already taken by stages[0]',
        'DUPLICATE_STAGE 4:84 stage "c" has the phase "build", which stage "a" has already',
      ],
    ],
  ])("have to make sense: %s", (text, expected) => {
    expect(summaryOf(compileYaml(`${text}\n`))).toEqual(expected);
  });
});

describe("exclude", () => {
  const CHAIN = `phases:
  - { id: a, command: x }
  - { id: b, command: "\${ONLY_B}", depends_on: [a] }
  - { id: c, command: x, depends_on: [{ phase: b, kind: soft }] }
  - { id: d, command: x, depends_on: [c, a] }
  - { id: e, command: x, depends_on: [{ phase: c, when: always }] }
variables: { ONLY_B: { required: true } }
`;

  test("lets dependents inherit what the excluded phase depended on, over several of them", () => {
    expect(edgesOf(CHAIN, { exclude: ["b"], strict: true })).toEqual(["a", "c < a", "d < c < a", "e < c"]);
    expect(edgesOf(CHAIN, { exclude: ["b", "c"], strict: true })).toEqual(["a", "d < a", "e < a"]);
  });

  test("keeps the weaker of two edges that become one, and drops none that the phase has itself", () => {
    const result = compilePlanText(
      { text: `plan_id: p\nversion: "1"\n${CHAIN}`, file: "plan.yaml" },
      { exclude: ["b", "c"] },
    );
    const edges = result.ok ? result.plan.phases.map(({ depends_on }) => depends_on) : [];
    expect(edges).toEqual([
      [],
      [{ phase: "a", kind: "hard", when: "success" }],
      [{ phase: "a", kind: "soft", when: "always" }],
    ]);
  });

  test("takes a stage with all its phases, so that the stages around it meet", () => {
    expect(edgesOf(STAGED, { exclude: ["test"] })).toEqual(["compile", "assets", "deploy < compile < assets"]);
  });

  test("belongs to what the plan is compiled from, and so holds when it is compiled again", () => {
    const options = { exclude: ["test"], variables: {} };
    const first = compilePlanText({ text: `plan_id: p\nversion: "1"\n${STAGED}`, file: "plan.yaml" }, options);
    if (!first.ok) throw new Error(summaryOf(first).join("\n"));
    const { document, variables, exclude = [] } = first.source;
    expect(compilePlanValue(JSON.parse(JSON.stringify(document)), { variables, exclude })).toEqual(first);
  });

  test.each([
    [["biuld"], ['UNKNOWN_SELECTION exclude names "biuld", but no phase has that id (did you mean "build"?)']],
    [["build", "b", "c", "d", "e", "f"], ["EMPTY_SELECTION exclude leaves no phase"]],
  ])("names what is not there, and leaves something: %s", (exclude, expected) => {
    const phases = ["build", "b", "c", "d", "e", "f"].map((id) => `  - { id: ${id}, command: x }`).join("\n");
    const text = `plan_id: p\nversion: "1"\nphases:\n${phases}\n`;
    const summary = summaryOf(compilePlanText({ text, file: "plan.yaml" }, { exclude }));
    expect(summary.map((line) => line.replace(/ 0:0/, ""))).toEqual(expected);
  });

  test("refuses to leave a phase without what only an excluded one makes or does", () => {
    const text = `phases:
  - { id: a, command: x, provides: [lines] }
  - { id: b, command: x, depends_on: [a], consumes: [lines] }
  - { id: c, command: x, depends_on: [{ phase: a, when: failure }] }
  - { id: d, command: x, depends_on: [a], condition: 'phases.a.status == "succeeded"' }
`;
    const source = { text: `plan_id: p\nversion: "1"\n${text}`, file: "plan.yaml" };
    expect(summaryOf(compilePlanText(source, { exclude: ["a"] }))).toEqual([
      'EXCLUDED 5:54 phase "b": reads "lines", which only "a" provides, and that is excluded (exclude this phase too)',
      'EXCLUDED 6:39 phase "c": waits for "a" to fail, which is excluded (exclude this phase too)',
      'BAD_CONDITION 7:55 phase "d": condition is wrong: the phase "a" is excluded (exclude this phase too)',
    ]);
  });
});
