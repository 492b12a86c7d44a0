import { CompiledPlanSchema } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { compilePlanText, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { formatProblem } from "../../src/plan/format-problem.ts";
import { compileYaml, planOf, problemsOf, samplePlan, summaryOf } from "./plan-samples.ts";

describe("a valid plan", () => {
  test("gets every default filled in", () => {
    const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "true" }])));
    expect(plan).toEqual({
      schema_version: 1,
      plan_id: "sample",
      version: "1",
      description: "",
      base_dir: ".",
      max_concurrency: null,
      kill_grace_sec: 5,
      timeout_sec: null,
      cost_budget_usd: null,
      prices: {},
      cancellation: "isolated",
      env: {},
      variables: {},
      metadata: {},
      phases: [
        {
          id: "a",
          template: "a",
          matrix: {},
          name: "a",
          takes_part: true,
          condition: null,
          work: { kind: "command", command: "true", args: [], shell: false },
          cwd: ".",
          env: {},
          depends_on: [],
          shard: null,
          over_phase: null,
          merge: { strategy: "none" },
          max_parallel: null,
          concurrency_key: null,
          priority: 0,
          pool: "default",
          retry: {
            retries: 0,
            delay_sec: 1,
            backoff: "fixed",
            max_delay_sec: 300,
            jitter: 0,
            on_timeout: true,
            only_exit_codes: null,
            never_exit_codes: [],
          },
          timeout_sec: 1800,
          on_failure: "abort",
          critical: true,
          max_consecutive_failures: null,
          max_failed_shards: { unit: "shards", value: 0 },
          lock: null,
          cost: {},
          consumes: [],
          provides: ["a"],
          tags: [],
        },
      ],
    });
  });

  test("keeps every value it gives", () => {
    const globals = {
      max_concurrency: 8,
      priority: -5,
      default_timeout_sec: 60,
      default_retries: 2,
      kill_grace_sec: 1,
      cancellation: "cascading",
      timeout_sec: 7200,
      cost_budget_usd: 12.5,
      prices: { large: { prompt_per_1k_usd: 0.01, completion_per_1k_usd: 0.03 } },
      env: { NO_COLOR: "1" },
    };
    const phase = {
      id: "b",
      name: "Second",
      handler: "./b.mjs",
      cwd: "work",
      env: { B: "2" },
      depends_on: ["a", { phase: "c", kind: "soft", when: "completed" }],
      shard: { strategy: "group", over: "a", batch_size: 2, group_by: "region", grouping: "key" },
      merge: { strategy: "records", key: "id", on_duplicate: "last", complete: true },
      max_parallel: 4,
      concurrency_key: { name: "api", limit: 3 },
      priority: 5,
      pool: "gpu",
      retries: 0,
      retry_delay_sec: 5,
      retry_backoff: "exponential",
      retry_max_delay_sec: 60,
      retry_jitter: 0.2,
      timeout_sec: 600,
      on_failure: "continue",
      critical: false,
      condition: 'phases.a.status == "succeeded"',
      retry_on_timeout: false,
      retry_on_exit_codes: [75],
      non_retryable_exit_codes: [2],
      max_consecutive_failures: 3,
      max_failed_shards: "5%",
      lock: { name: "push", timeout_sec: 60 },
      cost: { model: "large", flat_usd: 0.1 },
      consumes: ["a"],
      provides: ["out", "report"],
      tags: ["slow"],
    };
    const source = samplePlan([{ id: "a", command: "x" }, { id: "c", command: "x" }, phase], {
      globals,
      description: "text",
      metadata: { project: "p" },
    });
    const plan = planOf(compilePlanValue(source, { baseDir: "plans/one" }));
    expect(CompiledPlanSchema.safeParse(plan).success).toBe(true);
    expect(plan).toMatchObject({
      description: "text",
      base_dir: "plans/one",
      max_concurrency: 8,
      kill_grace_sec: 1,
      cancellation: "cascading",
      timeout_sec: 7200,
      cost_budget_usd: 12.5,
      prices: globals.prices,
      env: { NO_COLOR: "1" },
      metadata: { project: "p" },
    });
    expect(plan.phases[2]).toEqual({
      id: "b",
      template: "b",
      matrix: {},
      name: "Second",
      takes_part: true,
      condition: 'phases.a.status == "succeeded"',
      work: { kind: "handler", handler: "./b.mjs" },
      cwd: "work",
      env: { B: "2" },
      depends_on: [
        { phase: "a", kind: "hard", when: "success" },
        { phase: "c", kind: "soft", when: "always" },
      ],
      shard: { strategy: "group", over: "a", batch_size: 2, group_by: "region", grouping: "key" },
      over_phase: "a",
      merge: { strategy: "records", key: ["id"], on_duplicate: "last", complete: true },
      max_parallel: 4,
      concurrency_key: { name: "api", limit: 3 },
      priority: 5,
      pool: "gpu",
      retry: {
        retries: 0,
        delay_sec: 5,
        backoff: "exponential",
        max_delay_sec: 60,
        jitter: 0.2,
        on_timeout: false,
        only_exit_codes: [75],
        never_exit_codes: [2],
      },
      timeout_sec: 600,
      on_failure: "continue",
      critical: false,
      max_consecutive_failures: 3,
      max_failed_shards: { unit: "share", value: 0.05 },
      lock: { name: "push", timeout_sec: 60 },
      cost: { model: "large", flat_usd: 0.1 },
      consumes: [{ name: "a", sources: [{ phase: "a", label: "" }] }],
      provides: ["out", "report"],
      tags: ["slow"],
    });
    expect(plan.phases[0]).toMatchObject({ timeout_sec: 60, retry: { retries: 2 }, priority: -5 });
  });

  test.each([
    ["no shard, no merge", {}, { strategy: "none" }],
    [
      "a shard, no merge",
      { shard: { strategy: "full" } },
      { strategy: "records", key: [], on_duplicate: "error", complete: false },
    ],
    ["an empty merge", { merge: {} }, { strategy: "records", key: [], on_duplicate: "error", complete: false }],
    ["a merge without a shard", { merge: { strategy: "array" } }, { strategy: "array" }],
    [
      "records with several keys",
      { merge: { key: ["term", "translation"] } },
      { strategy: "records", key: ["term", "translation"], on_duplicate: "error", complete: false },
    ],
    ["object", { merge: { strategy: "object" } }, { strategy: "object", on_duplicate: "error" }],
    [
      "object, the first wins",
      { merge: { strategy: "object", on_duplicate: "first" } },
      { strategy: "object", on_duplicate: "first" },
    ],
    ["a command", { merge: { strategy: "command", command: "jq" } }, { strategy: "command", command: "jq", args: [] }],
    [
      "a handler",
      { merge: { strategy: "handler", handler: "./fold.mjs" } },
      { strategy: "handler", handler: "./fold.mjs" },
    ],
    ["concat", { shard: { strategy: "full" }, merge: { strategy: "concat" } }, { strategy: "concat" }],
  ])("resolves its merge: %s", (_title, fields, merge) => {
    const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "x", ...fields }])));
    expect(plan.phases[0]?.merge).toEqual(merge);
  });

  test("provides its own id when it declares an empty list", () => {
    const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "x", provides: [] }])));
    expect(plan.phases[0]?.provides).toEqual(["a"]);
  });

  test("keeps an inline list in shard.over", () => {
    const shard = { strategy: "chunk", chunk_size: 2, over: [{ n: 1 }, 2, "three", null] };
    const plan = planOf(compilePlanValue(samplePlan([{ id: "a", command: "x", shard }])));
    expect(plan.phases[0]?.shard).toEqual(shard);
  });

  test("means the same in YAML, in JSON and as a value", () => {
    const value = samplePlan([
      { id: "a", command: "node", args: ["a.mjs"] },
      { id: "b", depends_on: ["a"], handler: "./b.mjs", consumes: ["a"] },
    ]);
    const yaml = `
      plan_id: sample
      version: "1"
      phases:
        - id: a
          command: node
          args: [a.mjs]
        - { id: b, depends_on: [a], handler: ./b.mjs, consumes: [a] }
    `;
    const expected = compilePlanValue(value);
    expect(expected.ok).toBe(true);
    expect(compilePlanText({ text: yaml, file: "p.yaml" })).toEqual(expected);
    for (const indent of [undefined, 2, "\t"]) {
      expect(compilePlanText({ text: JSON.stringify(value, null, indent), file: "p.json" })).toEqual(expected);
    }
  });
});

describe("the older form with steps", () => {
  const step = {
    id: "fetch",
    name: "Fetch",
    command: "node",
    args: ["fetch.mjs"],
    cwd: ".",
    shell: false,
    env: { A: "1" },
    depends_on: [],
    timeout_sec: 10,
    retries: 1,
    retry_delay_sec: 2,
    critical: true,
    on_failure: "abort",
    provides: ["pages"],
    consumes: [],
    tags: ["net"],
    ui_hints: { color: "red" },
    description: "gets the pages",
  };
  const { phases: _none, ...top } = samplePlan([]);
  const plan = { ...top, steps: [step], metadata: { project: "p", phase_id: "x", tags: ["a"] } };

  test("loads, and runs one step at a time unless it says otherwise", () => {
    expect(planOf(compilePlanValue(plan))).toMatchObject({ max_concurrency: 1, phases: [{ id: "fetch" }] });
    const wide = { ...plan, globals: { max_concurrency: 3 } };
    expect(planOf(compilePlanValue(wide)).max_concurrency).toBe(3);
  });

  test("has the defaults of every plan, and what a step says wins over them", () => {
    const globals = { default_retries: 2, env: { LANG: "C" } };
    const steps = [
      { ...step, retries: 0 },
      { id: "next", command: "x", depends_on: ["fetch"], condition: "true" },
    ];
    const compiled = planOf(compilePlanValue({ ...plan, globals, steps }));
    expect(compiled.env).toEqual({ LANG: "C" });
    expect(compiled.phases).toMatchObject([
      { retry: { retries: 0 }, env: { A: "1" }, timeout_sec: 10 },
      { retry: { retries: 2 }, timeout_sec: 1800, condition: "true" },
    ]);
    const { retries: _retries, ...bare } = step;
    expect(planOf(compilePlanValue({ ...plan, steps: [bare] })).phases[0]?.retry.retries).toBe(0);
  });

  test("is spelled its own way in problems", () => {
    const result = compilePlanValue({ ...plan, steps: [{ ...step, retries: -1 }, { command: "x" }] });
    expect(problemsOf(result)).toMatchObject([
      { path: ["steps", 0, "retries"], message: 'phase "fetch": retries must be at least 0, not -1' },
      { path: ["steps", 1], message: 'steps[1]: "id" is missing' },
    ]);
  });

  test("excludes phases", () => {
    const result = compileYaml("phases: [{id: a, command: x}]\nsteps: [{id: b, command: x}]\n");
    expect(summaryOf(result)).toEqual([
      "STEPS_AND_PHASES 4:1 steps and phases are two names of the same list; give one of them",
    ]);
  });
});

describe("a value that is not a plan", () => {
  const containsItself: Record<string, unknown> = samplePlan([{ id: "a", command: "x" }]);
  containsItself["metadata"] = { again: containsItself };

  test.each([
    ["nothing", undefined, "NOT_A_MAP"],
    ["null", null, "NOT_A_MAP"],
    ["a list", [], "NOT_A_MAP"],
    ["a string", "plan", "NOT_A_MAP"],
    ["a value that contains itself", containsItself, "TOO_LARGE"],
  ])("is refused: %s", (_title, value, code) => {
    expect(problemsOf(compilePlanValue(value))).toMatchObject([{ code, file: "plan", line: 0, column: 0, frame: "" }]);
  });

  test("is refused where it holds what JSON cannot", () => {
    const value = samplePlan([{ id: "a", command: "x" }], { metadata: { when: new Date(0), run: () => 1 } });
    expect(summaryOf(compilePlanValue(value))).toEqual([
      "WRONG_TYPE metadata.when must be a JSON value, not a date",
      "WRONG_TYPE metadata.run must be a JSON value, not a function",
    ]);
  });
});

const EIGHT_MISTAKES = `plan_id: translate
version: 1.0
globals:
  cancelation: cascading
variables:
  SCRIPT: { description: what to translate }
phases:
  - id: ingest
    command: node
    args: [ingest.mjs, "\${SCRIPT}"]
    provides: [lines]
  - id: translate
    depends_on: [ingst]
    handler: ./translate.mjs
    shard: { strategy: scenes, over: lines }
    retries: -1
  - id: check
    command: node
    depends_on: [report]
  - id: report
    command: node
    depends_on: [check]
    consumes: [line]
`;

test("a text with eight mistakes shows all eight at once, each in its place", () => {
  const result = compilePlanText({ text: EIGHT_MISTAKES, file: "plan.yaml" });
  expect(result.ok).toBe(false);
  const output = problemsOf(result).map(formatProblem).join("\n\n");
  expect(output).toMatchInlineSnapshot(`
    "plan.yaml:2:10: error WRONG_TYPE: version must be a string, not 1
      1 | plan_id: translate
    > 2 | version: 1.0
        |          ^
      3 | globals:
      hint: put it in quotes

    plan.yaml:4:3: error UNKNOWN_KEY: unknown key "cancelation" in globals
      3 | globals:
    > 4 |   cancelation: cascading
        |   ^
      5 | variables:
      hint: did you mean "cancellation"?

    plan.yaml:6:3: error MISSING_VARIABLE: variable SCRIPT has no value: it has no default and none was given, and plan.yaml:10:24 uses it
      5 | variables:
    > 6 |   SCRIPT: { description: what to translate }
        |   ^
      7 | phases:
      hint: give SCRIPT a value when you submit the plan, or a default here

    plan.yaml:13:18: error UNKNOWN_DEPENDENCY: phase "translate": depends on "ingst", but no phase has that id
      12 |   - id: translate
    > 13 |     depends_on: [ingst]
         |                  ^
      14 |     handler: ./translate.mjs
      hint: did you mean "ingest"?

    plan.yaml:15:24: error BAD_ENUM: phase "translate": shard.strategy must be full, chunk, scene, route or group, not "scenes"
      14 |     handler: ./translate.mjs
    > 15 |     shard: { strategy: scenes, over: lines }
         |                        ^
      16 |     retries: -1
      hint: did you mean "scene"?

    plan.yaml:16:14: error OUT_OF_RANGE: phase "translate": retries must be at least 0, not -1
      15 |     shard: { strategy: scenes, over: lines }
    > 16 |     retries: -1
         |              ^
      17 |   - id: check

    plan.yaml:19:18: error CYCLE: phases wait for each other: check -> report -> check
      18 |     command: node
    > 19 |     depends_on: [report]
         |                  ^
      20 |   - id: report

    plan.yaml:23:16: error UNKNOWN_ARTIFACT: phase "report": reads "line", but no phase provides it
      22 |     depends_on: [check]
    > 23 |     consumes: [line]
         |                ^
      hint: did you mean "lines"?"
  `);
});
