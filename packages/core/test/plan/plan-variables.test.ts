import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CompileOptions, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, planOf, samplePlan, summaryOf } from "./plan-samples.ts";

const DECLARED = { NAME: { default: "World" }, COUNT: { default: 3 }, FLAG: { default: false }, OPEN: {} };

/** The one argument of a plan after replacement. */
function replaced(text: string, options: CompileOptions = {}): string | undefined {
  const value = samplePlan([{ id: "a", command: "x", args: [text] }], { variables: DECLARED });
  const { work } = planOf(compilePlanValue(value, options)).phases[0] ?? {};
  return work?.kind === "command" ? work.args[0] : undefined;
}

/** A plan whose variables stand on line 3 and its arguments on line 4. */
function body(variables: string, args: string): string {
  return `variables: { ${variables} }\nphases: [{ id: a, command: x, args: [${args}] }]\n`;
}

describe("replacement", () => {
  test.each([
    ["Hello ${NAME}!", "Hello World!"],
    ["${NAME}${NAME}", "WorldWorld"],
    ["${COUNT} ${FLAG}", "3 false"],
    ["100$", "100$"],
    ["$NAME $ {NAME}", "$NAME $ {NAME}"],
    ["$$", "$"],
    ["$${NAME}", "${NAME}"],
    ["$$${NAME}", "$World"],
    ["$$$$", "$$"],
    ["${secret:TOKEN}", "${secret:TOKEN}"],
    ["${secret:TOKEN} ${NAME}", "${secret:TOKEN} World"],
    ["${UNKNOWN}", "${UNKNOWN}"],
    ["${UNKNOWN${NAME}}", "${UNKNOWNWorld}"],
    ["${", "${"],
  ])("of %j gives %j", (text, expected) => {
    expect(replaced(text)).toBe(expected);
  });

  test("prefers the caller's value over the default, an empty one too", () => {
    expect(replaced("<${NAME}>", { variables: { NAME: "you" } })).toBe("<you>");
    expect(replaced("<${NAME}>", { variables: { NAME: "" } })).toBe("<>");
  });

  test("uses a caller's variable that the plan does not declare", () => {
    expect(replaced("${EXTRA}", { variables: { EXTRA: "more" } })).toBe("more");
  });

  test("reaches every string, but no key and not the variables themselves", () => {
    const variables = { X: { default: "${X}!", description: "${X}" } };
    const phase = { id: "${X}x", command: "${X}", env: { A: "${X}" }, ui_hints: { "${X}": ["${X}"] } };
    const result = compilePlanValue(
      samplePlan([{ ...phase, id: "a" }], { variables, description: "${X}", metadata: { "${X}": { deep: "${X}" } } }),
      { variables: { X: "v" } },
    );
    expect(planOf(result)).toMatchObject({
      description: "v",
      metadata: { "${X}": { deep: "v" } },
      variables: { X: "v" },
      phases: [{ work: { command: "v" }, env: { A: "v" } }],
    });
  });

  test("can inject no structure: the value stays one string, checked like any other", () => {
    expect(replaced("${NAME}", { variables: { NAME: "a, b]\nretries: 5" } })).toBe("a, b]\nretries: 5");
    const plan = samplePlan([{ id: "a", command: "x", cwd: "${DIR}", retries: "${N}" }]);
    expect(summaryOf(compilePlanValue(plan, { variables: { DIR: "../../etc", N: "3" } }))).toEqual([
      'WRONG_TYPE phase "a": retries must be a number, not "3" (write a number without quotes; a variable always gives text)',
      'PATH_ESCAPES phase "a": cwd "../../etc" leaves the workspace; use a path inside of it, relative to the plan',
    ]);
  });

  test("never looks at a value again, whatever it contains", () => {
    const part = fc.oneof(fc.constantFrom("${NAME}", "${COUNT}", "${OTHER}", "$$", "$", "{", "}"), fc.string());
    const value = fc.array(part).map((parts) => parts.join("").replaceAll("secret:", ""));
    fc.assert(
      fc.property(value, value, (name, other) => {
        const variables = { NAME: name, OTHER: other };
        fc.pre(!`<${name}|${other}>`.includes("${secret:"));
        expect(replaced("<${NAME}|${OTHER}>", { variables })).toBe(`<${name}|${other}>`);
      }),
      { numRuns: 200 },
    );
  });

  test("gives back any text whose dollars are doubled", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "N", "A", "é", " ") }), (text) => {
        expect(replaced(text.replaceAll("$", "$$$$"))).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the compiled plan", () => {
  test("holds every variable that has a value, as a string", () => {
    const plan = samplePlan([{ id: "a", command: "x" }], { variables: DECLARED });
    expect(planOf(compilePlanValue(plan, { variables: { EXTRA: "e" } })).variables).toEqual({
      NAME: "World",
      COUNT: "3",
      FLAG: "false",
      EXTRA: "e",
    });
  });
});

describe("what is reported", () => {
  test("an unknown name, pointing at the reference", () => {
    expect(summaryOf(compileYaml(body("", '"see ${WHAT}", "${X:-1}"')))).toEqual([
      'UNRESOLVED_VARIABLE 4:43 phase "a": ${WHAT} stays as it is: no variable is called WHAT (declare it under variables, or write $${WHAT} for the text itself)',
      'UNRESOLVED_VARIABLE 4:54 phase "a": ${X:-1} stays as it is: this is not a reference to a variable (declare it under variables, or write $${X:-1} for the text itself)',
    ]);
  });

  test("an unknown name as an error, when strict", () => {
    expect(compileYaml(body("", '"${WHAT}"')).ok).toBe(true);
    expect(compileYaml(body("", '"${WHAT}"'), { strict: true }).ok).toBe(false);
    expect(compileYaml(body("", '"$${WHAT} ${secret:KEY}"'), { strict: true }).ok).toBe(true);
  });

  test("a used variable without a value, once, at its declaration", () => {
    expect(summaryOf(compileYaml(body("SCRIPT: {}", '"${SCRIPT}", "${SCRIPT}"')))).toEqual([
      "MISSING_VARIABLE 3:14 variable SCRIPT has no value: it has no default and none was given, and plan.yaml:4:38 uses it (give SCRIPT a value when you submit the plan, or a default here)",
    ]);
  });

  test("an unused variable, declared or given, but no missing value of one", () => {
    expect(summaryOf(compileYaml(body("A: {}, B: { default: 1 }", ""), { variables: { B: "2", C: "3" } }))).toEqual([
      "UNUSED_VARIABLE 1:1 variable C was given, but the plan neither declares nor uses it",
      "UNUSED_VARIABLE 3:14 variable A is never used",
      "UNUSED_VARIABLE 3:21 variable B is never used",
    ]);
  });

  test.each([
    ["a value", '"${A}"', { A: "${secret:KEY}" }],
    ["a value beside a secret of the plan", '"${secret:OK} ${A}"', { A: "${secret:KEY}" }],
    ["two values", '"${A}{secret:KEY}"', { A: "$" }],
    ["a doubled dollar", '"$${secret:KEY}"', {}],
  ])("a secret that only replacement would name: %s", (_title, args, variables) => {
    expect(summaryOf(compileYaml(body("", args), { variables }))).toEqual([
      'SECRET_INJECTED 4:38 phase "a": a reference or $$ makes ${secret:KEY} here; only the plan itself may name a secret, in plain sight',
    ]);
  });
});
