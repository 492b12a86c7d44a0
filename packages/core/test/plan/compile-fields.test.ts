import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { planOf, samplePlan, summaryOf } from "./plan-samples.ts";

test("names the schema its editor checks it with, and nothing comes of it", () => {
  const plan = samplePlan([{ id: "a", command: "x" }], { $schema: "./plan.schema.json" });
  expect(planOf(compilePlanValue(plan))).toEqual(planOf(compilePlanValue(samplePlan([{ id: "a", command: "x" }]))));
});

test("a lock in its short form waits for ever", () => {
  const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "x", lock: "push" }])));
  expect(plan.phases[0]?.lock).toEqual({ name: "push", timeout_sec: null });
});

test("limits go to the worker as they are, and misspelt or absurd ones are errors", () => {
  const limits = { memory_mb: 512, cpu_sec: 60 };
  const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "x", limits }])));
  expect(plan.phases[0]?.limits).toEqual(limits);
  const bad = { id: "a", command: "x", limits: { memory: 1, cpu_sec: 0 } };
  expect(
    summaryOf(compilePlanValue(samplePlan([bad])))
      .map((line) => line.split(" ")[0])
      .sort(),
  ).toEqual(["OUT_OF_RANGE", "UNKNOWN_KEY"]);
});

test("every warning is an error when strict", () => {
  const plan = samplePlan([{ id: "a", command: "x" }], { variables: { UNUSED: { default: "1" } } });
  expect(compilePlanValue(plan)).toMatchObject({
    ok: true,
    warnings: [{ code: "UNUSED_VARIABLE", severity: "warning" }],
  });
  expect(compilePlanValue(plan, { strict: true })).toMatchObject({
    ok: false,
    problems: [{ code: "UNUSED_VARIABLE", severity: "error" }],
  });
});

describe("the price of a model", () => {
  const phase = { id: "a", command: "x", cost: { model: "lrage" } };

  test("may be unknown, with a warning", () => {
    const globals = { prices: { large: { flat_usd: 1 } } };
    expect(summaryOf(compilePlanValue(samplePlan([phase], { globals })))).toEqual([
      'UNKNOWN_PRICE phase "a": no price is known for the model "lrage": its cost will be unknown (did you mean "large"?)',
    ]);
    expect(summaryOf(compilePlanValue(samplePlan([phase])))).toEqual([
      'UNKNOWN_PRICE phase "a": no price is known for the model "lrage": its cost will be unknown (add it to globals.prices)',
    ]);
  });

  test("is checked like everything else", () => {
    const globals = { prices: { large: { flat: 1, flat_usd: -1 } } };
    expect(summaryOf(compilePlanValue(samplePlan([{ id: "a", command: "x" }], { globals })))).toEqual([
      "OUT_OF_RANGE globals.prices.large.flat_usd must be at least 0, not -1",
      'UNKNOWN_KEY unknown key "flat" in globals.prices.large (did you mean "flat_usd"?)',
    ]);
  });
});

test("unknown keys of a lock and of a cost are told with the nearest ones", () => {
  const phase = { id: "a", command: "x", lock: { name: "push", timeout: 5 }, cost: { modle: "m" } };
  expect(summaryOf(compilePlanValue(samplePlan([phase])))).toEqual([
    'UNKNOWN_KEY phase "a": unknown key "timeout" in lock (did you mean "timeout_sec"?)',
    'UNKNOWN_KEY phase "a": unknown key "modle" in cost (did you mean "model"?)',
  ]);
});

describe("what is collected", () => {
  test.each([
    ["stdout_final", { stdout_final: true, git_diff: false, files: [] }],
    ["git_diff", { stdout_final: false, git_diff: true, files: [] }],
    [{ files: ["out/**/*.json"] }, { stdout_final: false, git_diff: false, files: ["out/**/*.json"] }],
    [
      ["stdout_final", { files: ["a"] }, "git_diff", { files: ["b"] }],
      { stdout_final: true, git_diff: true, files: ["a", "b"] },
    ],
  ])("is %j", (collect, expected) => {
    const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "x", collect }])));
    expect(plan.phases[0]?.collect).toEqual(expected);
  });

  test.each([
    [
      { files: ["../x"] },
      'PATH_ESCAPES phase "a": collect.files "../x" leaves the working directory; set cwd to where',
    ],
    [[{ files: ["ok", "/etc/*"] }], 'PATH_ESCAPES phase "a": collect.files "/etc/*" leaves the working directory'],
    [{ files: ["**/../../x"] }, "PATH_ESCAPES"],
    [{ file: ["x"] }, 'UNKNOWN_KEY phase "a": unknown key "file" in collect (did you mean "files"?)'],
    [[{ fils: ["x"] }], "UNKNOWN_KEY"],
    ["stdout_fnal", '"stdout_final"'],
    [{ files: [] }, "collect.files"],
    [[], "collect"],
  ])("is refused as %j", (collect, expected) => {
    const problems = summaryOf(compilePlanValue(samplePlan([{ id: "a", command: "x", collect }])));
    expect(problems.join("\n")).toContain(expected);
  });

  test("is the last line of a command only", () => {
    const problems = summaryOf(
      compilePlanValue(samplePlan([{ id: "a", handler: "./h.mjs", collect: "stdout_final" }])),
    );
    expect(problems.join("\n")).toContain("collect: stdout_final belongs to a command, not to a handler");
  });
});
