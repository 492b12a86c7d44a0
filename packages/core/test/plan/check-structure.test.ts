import { PhaseSchema, UNSUPPORTED_FIELDS } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, problemsOf, samplePlan, summaryOf } from "./plan-samples.ts";

/** Problems of a phase `a` with these fields after `id` and `command`, in flow style on line 3. */
function phaseSummary(fields: string): string[] {
  return summaryOf(compileYaml(`phases: [{ id: a, command: x, ${fields} }]\n`));
}

describe("unknown keys", () => {
  test.each([
    ["phases: [{ id: a, comand: x }]", 'UNKNOWN_KEY 3:19 phase "a": unknown key "comand" (did you mean "command"?)'],
    [
      "phases: [{ id: a, command: x, dependsOn: [] }]",
      'UNKNOWN_KEY 3:31 phase "a": unknown key "dependsOn" (did you mean "depends_on"?)',
    ],
    [
      "phases: [{ id: a, command: x, timeout: 5 }]",
      'UNKNOWN_KEY 3:31 phase "a": unknown key "timeout" (did you mean "timeout_sec"?)',
    ],
    ["phases: [{ id: a, command: x, zebra: 5 }]", 'UNKNOWN_KEY 3:31 phase "a": unknown key "zebra"'],
    ["phases: [{ id: a, command: x }]\nglobal: {}", 'UNKNOWN_KEY 4:1 unknown key "global" (did you mean "globals"?)'],
    [
      "phases: [{ id: a, command: x }]\nglobals: { max_concurency: 2 }",
      'UNKNOWN_KEY 4:12 unknown key "max_concurency" in globals (did you mean "max_concurrency"?)',
    ],
    [
      "phases: [{ id: a, command: x, shard: { strategy: full, bach_size: 2 } }]",
      'UNKNOWN_KEY 3:56 phase "a": unknown key "bach_size" in shard (did you mean "batch_size"?)',
    ],
    [
      "phases: [{ id: a, command: x, merge: { on_duplicates: first } }]",
      'UNKNOWN_KEY 3:40 phase "a": unknown key "on_duplicates" in merge (did you mean "on_duplicate"?)',
    ],
    [
      "phases: [{ id: a, command: x }, { id: b, command: x, depends_on: [{ phase: a, wen: failure }] }]",
      'UNKNOWN_KEY 3:79 phase "b": unknown key "wen" in depends_on[0] (did you mean "when"?)',
    ],
    [
      'variables: { X: { defualt: "1" } }\nphases: [{ id: a, command: "${X}" }]',
      'UNKNOWN_KEY 3:19 unknown key "defualt" in variables.X (did you mean "default"?)',
    ],
  ])("point at the key and suggest the nearest: %s", (body, expected) => {
    expect(summaryOf(compileYaml(`${body}\n`))).toEqual([expected]);
  });

  test.each(UNSUPPORTED_FIELDS.phase)("say so when a later release has them: %s", (key) => {
    expect(phaseSummary(`${key}: 1`)).toEqual([`NOT_SUPPORTED 3:31 phase "a": "${key}" is not supported yet`]);
  });

  test.each([
    ["hooks: {}", 'NOT_SUPPORTED 4:1 "hooks" is not supported yet'],
    ["notify: []", 'NOT_SUPPORTED 4:1 "notify" is not supported yet'],
  ])("say so outside of phases: %s", (line, expected) => {
    expect(summaryOf(compileYaml(`phases: [{ id: a, command: x }]\n${line}\n`))).toEqual([expected]);
  });

  test("include a glob of files, which a later release cuts", () => {
    expect(phaseSummary('shard: { strategy: chunk, chunk_size: 1, over: { glob: "*.txt" } }')).toEqual([
      'NOT_SUPPORTED 3:78 phase "a": shard.over: a glob of files is not supported yet',
    ]);
  });
});

describe("missing keys", () => {
  test("point at the map that lacks them, one problem for each", () => {
    expect(summaryOf(compileYaml("description: x\n"))).toEqual(['MISSING_KEY 1:1 "phases" is missing']);
    expect(summaryOf(compilePlanValue({}))).toEqual([
      'MISSING_KEY "plan_id" is missing',
      'MISSING_KEY "version" is missing',
      'MISSING_KEY "phases" is missing',
    ]);
    expect(summaryOf(compileYaml("phases:\n  - command: x\n"))).toEqual(['MISSING_KEY 4:5 phases[0]: "id" is missing']);
  });

  test("list the values when only some are possible", () => {
    expect(phaseSummary("shard: { over: a }")[0]).toBe(
      'MISSING_KEY 3:38 phase "a": "strategy" is missing in shard (one of full, chunk, scene, route or group)',
    );
  });

  test("are not misspelt ones", () => {
    expect(phaseSummary("shard: { strategy: chunk, chunk_sizes: 3, over: [1] }")).toEqual([
      'UNKNOWN_KEY 3:57 phase "a": unknown key "chunk_sizes" in shard (did you mean "chunk_size"?)',
    ]);
  });
});

describe("values of the wrong kind", () => {
  test.each([
    ["retries: '3'", 'retries must be a number, not "3" (write a number without quotes; a variable always gives text)'],
    ["retries: 1.5", "retries must be a whole number, not 1.5"],
    ["shell: 'yes'", 'shell must be true or false, not "yes"'],
    ["args: -v", 'args must be a list, not "-v" (write it as a list: [-v])'],
    ["args: { a: 1 }", 'args must be a list, not a map (write it as a list, each entry after a "- ")'],
    ["args: [1]", "args[0] must be a string, not 1 (put it in quotes)"],
    ["args: ", "args must be a list, not an empty value"],
    ["env: { A: true }", "env.A must be a string, not true (put it in quotes)"],
    ["env: [A]", "env must be a map, not a list"],
    ["shard: full", 'shard must be a map, not "full"'],
    ["depends_on: [3]", "depends_on[0] must be a string or a map, not 3"],
    ["shard: { strategy: full, over: 3 }", "shard.over must be a string or a list, not 3"],
    ["ui_hints: { a: .nan }", "ui_hints.a must be a JSON value, not NaN"],
  ])("are named: %s", (fields, expected) => {
    expect(phaseSummary(fields).map((line) => line.replace(/^(\S+) \S+ /, "$1 "))).toEqual([
      `WRONG_TYPE phase "a": ${expected}`,
    ]);
  });

  test.each([
    ["phases: {}", 'WRONG_TYPE 3:9 phases must be a list, not a map (write it as a list, each entry after a "- ")'],
    ["phases: [hello]", 'WRONG_TYPE 3:10 phases[0] must be a map, not "hello"'],
    [
      'variables: { X: one }\nphases: [{ id: a, command: "${X}" }]',
      'WRONG_TYPE 3:17 variables.X must be a map, not "one" (write { default: one })',
    ],
    [
      'variables: { X: { default: [1] } }\nphases: [{ id: a, command: "${X}" }]',
      "WRONG_TYPE 3:28 variables.X.default must be a string, a number or true or false, not a list",
    ],
  ])("are named outside of a phase: %s", (body, expected) => {
    expect(summaryOf(compileYaml(`${body}\n`))).toEqual([expected]);
  });
});

describe("values out of bounds", () => {
  test.each([
    ["retries: -1", "OUT_OF_RANGE", "retries must be at least 0, not -1"],
    ["retries: 1001", "OUT_OF_RANGE", "retries must be at most 1000, not 1001"],
    ["timeout_sec: 0", "OUT_OF_RANGE", "timeout_sec must be more than 0, not 0"],
    ["retry_jitter: 1.5", "OUT_OF_RANGE", "retry_jitter must be at most 1, not 1.5"],
    ["retry_delay_sec: -0.5", "OUT_OF_RANGE", "retry_delay_sec must be at least 0, not -0.5"],
    ["max_parallel: 0", "OUT_OF_RANGE", "max_parallel must be at least 1, not 0"],
    ["cwd: ''", "OUT_OF_RANGE", "cwd must not be empty"],
    [`name: ${"n".repeat(201)}`, "OUT_OF_RANGE", "name must have at most 200 characters, not 201"],
    [`tags: [${"t, ".repeat(100)}t]`, "OUT_OF_RANGE", "tags must have at most 100 entries, not 101"],
    [
      "pool: a/b",
      "INVALID_VALUE",
      `pool cannot be "a/b": use letters, digits, '_', '-' and '.', starting with a letter or a digit`,
    ],
    ["env: { a-b: x }", "INVALID_VALUE", 'env cannot have the key "a-b": not a name of an environment variable'],
  ])("are told with their bound: %s", (fields, code, message) => {
    expect(problemsOf(compileYaml(`phases: [{ id: a, command: x, ${fields} }]\n`))).toMatchObject([
      { code, message: `phase "a": ${message}` },
    ]);
  });

  test("include an empty list of phases and an id that is no id", () => {
    expect(summaryOf(compileYaml("phases: []\n"))).toEqual(["OUT_OF_RANGE 3:9 phases must not be empty"]);
    expect(summaryOf(compilePlanValue(samplePlan([{ id: "", command: "x" }])))).toEqual([
      "OUT_OF_RANGE phases[0]: id must not be empty",
    ]);
  });
});

describe("values that have to be one of a few", () => {
  test.each([
    [
      "on_failure: skip",
      'on_failure must be abort, skip_dependents or continue, not "skip" (did you mean "skip_dependents"?)',
    ],
    [
      "retry_backoff: exponental",
      'retry_backoff must be fixed or exponential, not "exponental" (did you mean "exponential"?)',
    ],
    [
      "shard: { strategy: chunks }",
      'shard.strategy must be full, chunk, scene, route or group, not "chunks" (did you mean "chunk"?)',
    ],
    [
      "merge: { strategy: zip }",
      'merge.strategy must be records, concat, array, object, handler or command, not "zip"',
    ],
    ["on_failure: 3", "on_failure must be abort, skip_dependents or continue, not 3"],
  ])("are listed: %s", (fields, expected) => {
    expect(phaseSummary(fields).map((line) => line.replace(/^(\S+) \S+ /, "$1 "))).toEqual([
      `BAD_ENUM phase "a": ${expected}`,
    ]);
  });
});

test("no key of a phase is both supported and announced for later", () => {
  const supported = Object.keys(PhaseSchema.shape);
  expect(UNSUPPORTED_FIELDS.phase.filter((key) => supported.includes(key))).toEqual([]);
});
