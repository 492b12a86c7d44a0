import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, problemsOf, type SamplePhase, samplePlan, summaryOf } from "./plan-samples.ts";

function codesAndMessages(phase: SamplePhase): [string, string][] {
  const source = { id: "source", command: "x", provides: ["lines"] };
  const result = compilePlanValue(samplePlan([source, { id: "a", depends_on: ["source"], ...phase }]));
  return problemsOf(result).map(({ code, message }) => [code, message.replace('phase "a": ', "")]);
}

describe("the work of a phase", () => {
  test.each([
    ["nothing", {}, "MISSING_WORK", "a phase needs a command, a handler or an approval"],
    [
      "both",
      { command: "x", handler: "./a.mjs" },
      "CONFLICTING_WORK",
      "a phase has either a command or a handler, not both",
    ],
    [
      "arguments of a handler",
      { handler: "./a.mjs", args: [] },
      "MISPLACED_FIELD",
      "args belongs to a command, not to a handler",
    ],
    [
      "limits of a handler",
      { handler: "./a.mjs", limits: { cpu_sec: 1 } },
      "MISPLACED_FIELD",
      "limits belongs to a command, not to a handler",
    ],
    [
      "a shell for a handler",
      { handler: "./a.mjs", shell: true },
      "MISPLACED_FIELD",
      "shell belongs to a command, not to a handler",
    ],
  ])("cannot be %s", (_title, phase, code, message) => {
    expect(codesAndMessages(phase)).toEqual([[code, message]]);
  });

  test("is not called missing where it is only misspelt, of the wrong kind or of a later release", () => {
    expect(codesAndMessages({ comand: "x" })).toMatchObject([["UNKNOWN_KEY", expect.anything()]]);
    expect(codesAndMessages({ command: 5 })).toMatchObject([["WRONG_TYPE", expect.anything()]]);
    expect(codesAndMessages({ plan: "x" })).toMatchObject([["NOT_SUPPORTED", expect.anything()]]);
  });
});

describe("the strategy of a shard", () => {
  const over = "lines";

  test.each([
    { strategy: "full" },
    { strategy: "full", over },
    { strategy: "chunk", over, chunk_size: 2 },
    { strategy: "scene", over },
    { strategy: "scene", over, batch_size: 2, grouping: "key" },
    { strategy: "route", over, batch_size: 2, grouping: "contiguous" },
    { strategy: "group", over, group_by: "f", batch_size: 2, grouping: "key" },
    { strategy: "chunk", over: [1, 2], chunk_size: 2 },
  ])("takes %j", (shard) => {
    expect(codesAndMessages({ command: "x", shard })).toEqual([]);
  });

  test.each([
    [{ strategy: "full", chunk_size: 2 }, "MISPLACED_FIELD", "chunk_size does not belong to shard strategy full"],
    [{ strategy: "full", batch_size: 2 }, "MISPLACED_FIELD", "batch_size does not belong to shard strategy full"],
    [{ strategy: "full", group_by: "f" }, "MISPLACED_FIELD", "group_by does not belong to shard strategy full"],
    [{ strategy: "full", grouping: "key" }, "MISPLACED_FIELD", "grouping does not belong to shard strategy full"],
    [{ strategy: "chunk", over }, "MISSING_KEY", "shard strategy chunk needs chunk_size"],
    [{ strategy: "chunk", chunk_size: 2 }, "MISSING_KEY", "shard strategy chunk needs over"],
    [
      { strategy: "chunk", over, chunk_size: 2, batch_size: 2 },
      "MISPLACED_FIELD",
      "batch_size does not belong to shard strategy chunk",
    ],
    [
      { strategy: "chunk", over, chunk_size: 2, grouping: "key" },
      "MISPLACED_FIELD",
      "grouping does not belong to shard strategy chunk",
    ],
    [{ strategy: "scene" }, "MISSING_KEY", "shard strategy scene needs over"],
    [
      { strategy: "scene", over, chunk_size: 2 },
      "MISPLACED_FIELD",
      "chunk_size does not belong to shard strategy scene",
    ],
    [{ strategy: "scene", over, group_by: "f" }, "MISPLACED_FIELD", "group_by does not belong to shard strategy scene"],
    [{ strategy: "route" }, "MISSING_KEY", "shard strategy route needs over"],
    [
      { strategy: "route", over, chunk_size: 2 },
      "MISPLACED_FIELD",
      "chunk_size does not belong to shard strategy route",
    ],
    [{ strategy: "group", over }, "MISSING_KEY", "shard strategy group needs group_by"],
    [
      { strategy: "group", over, group_by: "f", chunk_size: 2 },
      "MISPLACED_FIELD",
      "chunk_size does not belong to shard strategy group",
    ],
  ])("refuses %j", (shard, code, message) => {
    expect(codesAndMessages({ command: "x", shard })).toEqual([[code, message]]);
  });

  test("is checked although another field of the shard is wrong", () => {
    expect(codesAndMessages({ command: "x", shard: { strategy: "full", over: 5, batch_size: -1 } })).toEqual([
      ["WRONG_TYPE", "shard.over must be a string or a list, not 5"],
      ["OUT_OF_RANGE", "shard.batch_size must be at least 1, not -1"],
      ["MISPLACED_FIELD", "batch_size does not belong to shard strategy full"],
    ]);
  });
});

describe("the fields of a merge", () => {
  const shard = { strategy: "scene", over: "lines" };

  test.each([
    [{}],
    [{ strategy: "records" }],
    [{ strategy: "concat" }],
    [{ strategy: "array" }],
    [{ strategy: "object" }],
    [{ strategy: "object", on_duplicate: "last" }],
    [{ strategy: "command", command: "jq" }],
    [{ strategy: "command", command: "jq", args: ["-s", "."] }],
    [{ strategy: "handler", handler: "./fold.mjs" }],
    [{ key: "id" }],
    [{ key: ["term", "translation"] }],
    [{ key: "id", on_duplicate: "first", complete: true }],
    [{ complete: false }],
  ])("may be %j", (merge) => {
    expect(codesAndMessages({ command: "x", shard, merge })).toEqual([]);
  });

  test.each([
    [{ strategy: "concat", key: "id" }, "MISPLACED_FIELD", "key belongs to merge strategy records, not to concat"],
    [
      { strategy: "array", on_duplicate: "last" },
      "MISPLACED_FIELD",
      "on_duplicate belongs to merge strategy records or object, not to array",
    ],
    [
      { strategy: "concat", complete: true },
      "MISPLACED_FIELD",
      "complete belongs to merge strategy records, not to concat",
    ],
    [{ on_duplicate: "first" }, "MISSING_KEY", "on_duplicate needs key"],
    [{ complete: true }, "MISSING_KEY", "complete needs key"],
    [{ key: ["a", "b", "a"] }, "INVALID_VALUE", 'key has the field "a" twice'],
    [{ strategy: "object", key: "id" }, "MISPLACED_FIELD", "key belongs to merge strategy records, not to object"],
    [
      { strategy: "records", command: "jq" },
      "MISPLACED_FIELD",
      "command belongs to merge strategy command, not to records",
    ],
    [{ args: ["-s"] }, "MISPLACED_FIELD", "args belongs to merge strategy command, not to records"],
    [
      { strategy: "array", handler: "./f.mjs" },
      "MISPLACED_FIELD",
      "handler belongs to merge strategy handler, not to array",
    ],
    [{ strategy: "command" }, "MISSING_KEY", "merge strategy command needs command"],
    [{ strategy: "handler" }, "MISSING_KEY", "merge strategy handler needs handler"],
    [
      { strategy: "handler", handler: "../f.mjs" },
      "PATH_ESCAPES",
      'merge.handler "../f.mjs" leaves the workspace; use a path inside of it, relative to the plan',
    ],
  ])("cannot be %j", (merge, code, message) => {
    expect(codesAndMessages({ command: "x", shard, merge })).toEqual([[code, message]]);
  });

  test("need a source to be complete", () => {
    const expected = [["MISSING_KEY", "complete needs shard.over, which says what complete is"]];
    const merge = { key: "id", complete: true };
    expect(codesAndMessages({ command: "x", merge })).toEqual(expected);
    expect(codesAndMessages({ command: "x", merge, shard: { strategy: "full" } })).toEqual(expected);
    expect(codesAndMessages({ command: "x", merge, shard: { strategy: "full", over: "lines" } })).toEqual([]);
  });
});

describe("the paths of a phase", () => {
  test.each([
    ["cwd", "/etc"],
    ["cwd", ".."],
    ["cwd", "a/../../b"],
    ["handler", "../a.mjs"],
    ["handler", "/srv/a.mjs"],
    ["handler", "C:\\a.mjs"],
    ["handler", "..\\a.mjs"],
  ])("cannot leave the workspace: %s %s", (field, path) => {
    const work = field === "handler" ? {} : { command: "x" };
    expect(codesAndMessages({ ...work, [field]: path })).toEqual([
      [
        "PATH_ESCAPES",
        `${field} ${JSON.stringify(path)} leaves the workspace; use a path inside of it, relative to the plan`,
      ],
    ]);
  });

  test("may go up as far as the plan lies below the workspace", () => {
    const plan = samplePlan([{ id: "a", handler: "../shared/a.mjs" }]);
    expect(compilePlanValue(plan, { baseDir: "plans/one" }).ok).toBe(true);
    expect(compilePlanValue(plan, { baseDir: "." }).ok).toBe(false);
  });
});

describe("the rules of failure", () => {
  test.each([
    { retry_on_exit_codes: [75], non_retryable_exit_codes: [2, 3] },
    { max_failed_shards: 0 },
    { max_failed_shards: "5%" },
    { max_failed_shards: "100%" },
    { max_failed_shards: "0.5%" },
  ])("may be %j", (fields) => {
    expect(codesAndMessages({ command: "x", ...fields })).toEqual([]);
  });

  test.each([
    [
      { retry_on_exit_codes: [1, 75], non_retryable_exit_codes: [75, 1, 2] },
      "INVALID_VALUE",
      "exit code 1, 75 is both in retry_on_exit_codes and in non_retryable_exit_codes",
    ],
    [{ max_failed_shards: "100.5%" }, "OUT_OF_RANGE", "max_failed_shards must be at most 100%, not 100.5%"],
    [
      { max_failed_shards: "5" },
      "INVALID_VALUE",
      'max_failed_shards cannot be "5": write a number or a percentage such as "5%"',
    ],
    [{ max_failed_shards: -1 }, "OUT_OF_RANGE", "max_failed_shards must be at least 0, not -1"],
    [{ retry_on_exit_codes: [0] }, "OUT_OF_RANGE", "retry_on_exit_codes[0] must be at least 1, not 0"],
  ])("cannot be %j", (fields, code, message) => {
    expect(codesAndMessages({ command: "x", ...fields })).toEqual([[code, message]]);
  });
});

test("problems of meaning point at the key, or at the map that lacks one", () => {
  const body = `phases:
  - id: a
    handler: ./a.mjs
    args: [x]
    shard:
      strategy: chunk
      batch_size: 2
  - name: nothing to do
    id: b
`;
  expect(summaryOf(compileYaml(body))).toEqual([
    'MISPLACED_FIELD 6:5 phase "a": args belongs to a command, not to a handler',
    'MISSING_KEY 8:7 phase "a": shard strategy chunk needs over',
    'MISSING_KEY 8:7 phase "a": shard strategy chunk needs chunk_size',
    'MISPLACED_FIELD 9:7 phase "a": batch_size does not belong to shard strategy chunk',
    'MISSING_WORK 10:5 phase "b": a phase needs a command, a handler or an approval',
  ]);
});

describe("a strategy of retries", () => {
  test.each([
    [
      { retry_strategy: { include_context: true } },
      ['MISSING_KEY phase "a": retry_strategy needs prompt, which it adds to'],
    ],
    [
      { prompt: "x", retry_strategy: { context_instruction: "y" } },
      ['MISSING_KEY phase "a": context_instruction needs include_context: true'],
    ],
    [{ prompt: "x", retry_strategy: { include_context: true, context_instruction: "y" } }, []],
  ])("goes with a prompt: %j", (fields, expected) => {
    expect(summaryOf(compilePlanValue(samplePlan([{ id: "a", command: "x", ...fields }])))).toEqual(expected);
  });
});
