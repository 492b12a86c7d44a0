import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { listConditionPhases } from "../../src/plan/condition-expression.ts";
import { compileYaml, planOf, type SamplePhase, samplePlan, summaryOf } from "./plan-samples.ts";

const VARIABLES = { LEVEL: { default: "high" } };

function compile(phases: readonly SamplePhase[]) {
  const declared = phases.map((phase) => ({ command: "x", ...phase }));
  return compilePlanValue(samplePlan(declared, { variables: VARIABLES }), { variables: { LEVEL: "low" } });
}

/** What is wrong with a condition of phase `d`, which depends on `test-all` and through it on `build`. */
function faults(condition: string, extra: readonly SamplePhase[] = []): string[] {
  const phases = [
    { id: "build", args: ["${LEVEL}"] },
    { id: "test-all", depends_on: ["build"] },
    ...extra,
    { id: "d", depends_on: ["test-all"], condition },
    { id: "after", depends_on: ["d"] },
    { id: "aside" },
  ];
  return summaryOf(compile(phases)).map((line) => line.replace('BAD_CONDITION phase "d": ', ""));
}

describe("a condition", () => {
  test.each([
    'vars.LEVEL == "high"',
    'phases.build.status == "succeeded" && outputs.build.count > 0',
    'phases["test-all"].status in ["failed", "skipped"] || !(int(vars.LEVEL) > 3)',
    'has(vars.NOBODY) && vars["LEVEL"].startsWith("h")',
    "has(outputs.build.lines) ? outputs.build.lines.exists(l, l.id == vars.LEVEL) : false",
    "true",
  ])("may be %s", (condition) => {
    expect(faults(condition)).toEqual([]);
  });

  test.each([
    ["vars.LEVEL ==", "condition is wrong: unexpected token: EOF"],
    ["vars.LEVEL == 'high", expect.stringMatching(/^condition is wrong: unterminated string/)],
    ["1 + 1", "condition is wrong: it gives int, not true or false"],
    ['"a" + 1 == "a1"', "condition is wrong: no such overload: string + int"],
    ["env.HOME == '/'", "condition is wrong: unknown variable: env"],
    ["vars.LVEL == 'high'", 'condition is wrong: no variable is called "LVEL" (did you mean "LEVEL"?)'],
    ["phases.biuld.status == 'x'", 'condition is wrong: no phase is called "biuld" (did you mean "build"?)'],
    [
      "phases.test-all.status == 'x'",
      'condition is wrong: unknown variable: all (write phases["test-all"]: the id is no plain name)',
    ],
    [
      "phases.aside.status == 'x'",
      'looks at phases.aside in its condition, but does not depend on "aside" (add "aside" to depends_on)',
    ],
    ["outputs.after.n > 1", 'looks at outputs.after in its condition, but "after" runs after this phase'],
    ["phases.d.status == 'x'", "looks at phases.d in its condition, which is the phase itself"],
    ["size(phases) > 1", "condition is wrong: phases must be followed by the id of a phase (write phases.some_phase)"],
    [
      "phases[vars.LEVEL].status == 'x'",
      "condition is wrong: phases must be followed by the id of a phase (write phases.some_phase)",
    ],
    ["matrix.language == 'fr'", "condition is wrong: the phase has no matrix"],
    ["'${LEVEL}' == 'high'", "condition is wrong: ${LEVEL} is not replaced here (write vars.LEVEL)"],
    ["'${matrix.l}' == 'fr'", "condition is wrong: ${matrix.l} is not replaced here (write matrix.l)"],
  ])("cannot be %s", (condition, expected) => {
    expect(faults(condition)).toEqual([expected]);
  });

  test("is pointed at where it goes wrong", () => {
    const body = `phases:
  - id: a
    command: x
  - id: b
    command: x
    depends_on: [a]
    condition: phases.a.status == "failed" && phases.c.status == "x"
`;
    expect(summaryOf(compileYaml(body))).toEqual([
      'BAD_CONDITION 9:47 phase "b": condition is wrong: no phase is called "c"',
    ]);
    const syntax = body.replace("phases.c.status", "&&");
    expect(summaryOf(compileYaml(syntax))).toEqual([
      expect.stringMatching(/^BAD_CONDITION 9:47 phase "b": condition is wrong: unexpected/),
    ]);
  });

  test("uses the variables it looks at", () => {
    const plan = (condition: string) =>
      samplePlan([{ id: "a", command: "x", condition }], { variables: { A: { default: "1" }, B: {} } });
    expect(summaryOf(compilePlanValue(plan("vars.A == '1'")))).toEqual(["UNUSED_VARIABLE variable B is never used"]);
    expect(summaryOf(compilePlanValue(plan("'A' in vars"), { variables: { B: "2" } }))).toEqual([]);
    expect(summaryOf(compilePlanValue(plan("vars.B == vars.A")))).toEqual([
      expect.stringMatching(/^MISSING_VARIABLE variable B has no value.* phases\[0\].condition uses it/),
    ]);
  });

  test("stays as its author wrote it", () => {
    const condition = 'vars.LEVEL == "$${LEVEL}$"';
    expect(faults(condition)).toHaveLength(1);
    const plan = planOf(compile([{ id: "a", args: ["${LEVEL}"], condition: 'vars.LEVEL == "$$"' }]));
    expect(plan.phases[0]?.condition).toBe('vars.LEVEL == "$$"');
  });
});

describe("a condition in a plan with matrices", () => {
  const translate = { id: "t", args: ["${LEVEL}"], matrix: { l: ["fr", "ja"] } };
  const qa = { id: "qa", matrix: { l: ["fr", "ja"] }, depends_on: ["t"] };

  test("looks at the instance that belongs to its own", () => {
    const condition = 'phases.t.status == "failed" || outputs["t"].n > 1 && matrix.l == "fr" && vars.LEVEL != "t"';
    expect(planOf(compile([translate, { ...qa, condition }])).phases.map((phase) => phase.condition)).toEqual([
      null,
      null,
      'phases["t[l=fr]"].status == "failed" || outputs["t[l=fr]"].n > 1 && matrix.l == "fr" && vars.LEVEL != "t"',
      'phases["t[l=ja]"].status == "failed" || outputs["t[l=ja]"].n > 1 && matrix.l == "fr" && vars.LEVEL != "t"',
    ]);
  });

  test("names the instance it means where there are several, and one it depends on", () => {
    const join = (condition: string) => summaryOf(compile([translate, { id: "z", depends_on: ["t"], condition }]));
    expect(join('phases["t[l=ja]"].status == "failed"')).toEqual([]);
    expect(join('phases.t.status == "failed"')).toEqual([
      'BAD_CONDITION phase "z": condition is wrong: phases.t stands for 2 instances (name the one you mean, as in phases["t[l=fr]"])',
    ]);
    expect(summaryOf(compile([translate, { ...qa, condition: 'phases["t[l=ja]"].status == "failed"' }]))).toEqual([
      'BAD_CONDITION phase "qa": looks at phases.t[l=ja] in its condition, but qa[l=fr] does not depend on t[l=ja]',
    ]);
    expect(summaryOf(compile([translate, { ...qa, condition: "matrix.langauge == 'fr'" }]))).toEqual([
      'BAD_CONDITION phase "qa": condition is wrong: the matrix has no dimension "langauge"',
    ]);
  });
});

test("the phases a condition names are listed, each once", () => {
  expect(
    listConditionPhases('phases.a.status == "x" && outputs.a.n > 1 && phases["b[l=fr]"].status != vars.c'),
  ).toEqual(["a", "b[l=fr]"]);
  expect(listConditionPhases("phases.a ==")).toEqual([]);
});
