import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { findExpectation } from "../../src/plan/variable-value.ts";
import { compileYaml, planOf, samplePlan, summaryOf } from "./plan-samples.ts";

/** What is said of a variable X that is given a value, or of its default when none is. */
function faults(declaration: Record<string, unknown>, given?: string): string[] {
  const plan = samplePlan([{ id: "a", command: "x", args: ["${X}"] }], { variables: { X: declaration } });
  return summaryOf(compilePlanValue(plan, given === undefined ? {} : { variables: { X: given } }));
}

describe("a value fits its type", () => {
  test.each([
    [{ type: "number" }, ["0", "-5", "+1.50", ".5", "5.", "1e3", "1E-10"]],
    [{ type: "boolean" }, ["true", "false"]],
    [{ type: "enum", values: ["low", "high", ""] }, ["low", "high", ""]],
    [{ type: "string" }, ["", "anything\n"]],
    [{}, ["", "1"]],
    [{ pattern: "[a-z]+" }, ["abc"]],
    [{ pattern: "a|b" }, ["a", "b"]],
    [{ type: "number", pattern: String.raw`\d{2}` }, ["42"]],
  ] as const)("%j takes %j", (declaration, values) => {
    for (const value of values) expect(faults(declaration, value)).toEqual([]);
  });

  test.each([
    [{ type: "number" }, ["", " 1", "one", "0x10", "1_000", "Infinity", "NaN", "1e999", "1,5", "--1", "."]],
    [{ type: "boolean" }, ["True", "1", "yes", ""]],
    [{ type: "enum", values: ["low", "high"] }, ["mid", "Low", "low "]],
    [{ pattern: "[a-z]+" }, ["abc1", "1abc", "", "ab\nc"]],
    [{ pattern: "a|b" }, ["ab", "xa", "b\n"]],
  ] as const)("%j refuses %j", (declaration, values) => {
    for (const value of values) expect(faults(declaration, value)).toHaveLength(1);
  });

  test("and a problem names the variable, the value and what is expected", () => {
    expect(faults({ type: "number" }, "high")).toEqual([
      'BAD_VARIABLE variable X cannot be "high": it must be a number, such as 5 or -0.25',
    ]);
    expect(faults({ type: "boolean" }, "yes")).toEqual([
      'BAD_VARIABLE variable X cannot be "yes": it must be true or false',
    ]);
    expect(faults({ type: "enum", values: ["a", "b", "c"] }, "d")).toEqual([
      'BAD_VARIABLE variable X cannot be "d": it must be a, b or c',
    ]);
    expect(faults({ pattern: "[a-z]+" }, "A")).toEqual([
      'BAD_VARIABLE variable X cannot be "A": it must be text that matches [a-z]+ from its beginning to its end',
    ]);
  });

  test("also as a default, which is pointed at", () => {
    const body = "variables: { X: { type: number, default: high } }\nphases: [{ id: a, command: x, args: ['${X}'] }]\n";
    expect(summaryOf(compileYaml(body))).toEqual([
      'BAD_VARIABLE 3:42 variable X cannot be "high": it must be a number, such as 5 or -0.25',
    ]);
    expect(summaryOf(compileYaml(body, { variables: { X: "low" } }))).toEqual([
      'BAD_VARIABLE 3:14 variable X cannot be "low": it must be a number, such as 5 or -0.25',
      'BAD_VARIABLE 3:42 variable X cannot be "high": it must be a number, such as 5 or -0.25',
    ]);
  });
});

describe("a declaration makes sense", () => {
  test.each([
    [{ type: "enum", default: "a" }, ["MISSING_KEY variable X: type enum needs values"]],
    [{ values: ["a"], default: "a" }, ["MISPLACED_FIELD variable X: values belongs to type enum, not to string"]],
    [
      { type: "numbre", default: "1" },
      ['BAD_ENUM variables.X.type must be string, number, boolean or enum, not "numbre" (did you mean "number"?)'],
    ],
    [
      { pattern: "(", default: "1" },
      [expect.stringMatching(/^BAD_PATTERN variable X: pattern "\(" is not a regular expression: /)],
    ],
    [
      { pattern: "(a+)+", default: "1" },
      ['BAD_PATTERN variable X: pattern "(a+)+" repeats a part that repeats itself, and may take for ever to match'],
    ],
  ])("%j does not", (declaration, expected) => {
    expect(faults(declaration)).toEqual(expected);
  });
});

describe("the pattern of a variable", () => {
  test("is matched against ten thousand characters at most", () => {
    expect(faults({ pattern: "a*" }, "a".repeat(10_000))).toEqual([]);
    expect(faults({ pattern: "a*" }, "a".repeat(10_001))).toEqual([
      expect.stringMatching(/^BAD_VARIABLE .*: it must be at most 10000 characters long, as it has a pattern$/),
    ]);
  });

  test("cannot close the brackets around it", () => {
    expect(findExpectation("x", { pattern: "a)|(?:x" })).toBeUndefined();
    expect(faults({ pattern: "a)|(?:x" }, "x")).toEqual([expect.stringMatching(/^BAD_PATTERN /)]);
  });
});

describe("a variable without a value", () => {
  test("is missing when it is used, or when it is required", () => {
    expect(faults({ type: "number" })).toEqual([expect.stringMatching(/^MISSING_VARIABLE .* uses it/)]);
    const unused = (declaration: unknown) =>
      summaryOf(compilePlanValue(samplePlan([{ id: "a", command: "x" }], { variables: { X: declaration } })));
    expect(unused({ required: true })).toEqual([
      "UNUSED_VARIABLE variable X is never used",
      "MISSING_VARIABLE variable X has no value: it has no default and none was given, and it is required (give X a value when you submit the plan, or a default here)",
    ]);
    expect(unused({ required: true, default: "1" })).toEqual(["UNUSED_VARIABLE variable X is never used"]);
  });

  test("is empty when it says that it is not required", () => {
    const plan = samplePlan([{ id: "a", command: "x", args: ["<${X}>"] }], {
      variables: { X: { required: false, type: "number" } },
    });
    const compiled = planOf(compilePlanValue(plan));
    expect(compiled.phases[0]?.work).toMatchObject({ args: ["<>"] });
    expect(compiled.variables).toEqual({ X: "" });
  });
});

test("the default of a variable keeps the spelling of its number", () => {
  const value = (text: string) =>
    planOf(compileYaml(`variables: { X: { default: ${text} } }\nphases: [{ id: a, command: x, args: ["\${X}"] }]\n`))
      .variables["X"];
  expect(["1.10", "007", "12345678901234567890", "1e3", "true", "0x10", "'1.0'"].map(value)).toEqual([
    "1.10",
    "007",
    "12345678901234567890",
    "1e3",
    "true",
    "16",
    "1.0",
  ]);
});
