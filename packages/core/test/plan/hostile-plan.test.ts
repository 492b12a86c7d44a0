import { CompiledPlanSchema, PhaseSchema, UNSUPPORTED_FIELDS } from "@fanfold/schemas";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CompileResult, compilePlanText, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { formatProblem } from "../../src/plan/format-problem.ts";
import { PlanGraph } from "../../src/plan/plan-graph.ts";

const VALID = `plan_id: sample
version: "1"
globals: { max_concurrency: 4, env: &env { A: "1" } }
variables: { X: { default: one, pattern: "[a-z]+" } }
phases:
  - id: a
    command: node
    args: [a.mjs, "\${X}"]
    provides: [lines]
  - id: b
    depends_on: [a, { phase: c, kind: soft, when: always }]
    handler: ./b.mjs
    env: *env
    shard: { strategy: scene, over: lines, batch_size: 2 }
    merge: { strategy: records, key: id, complete: true }
    matrix: { l: [fr, ja], t: [x], exclude: [{ l: ja }], include: [{ l: de, t: y }] }
    condition: phases.a.status == "succeeded" && vars.X != "two"
    lock: { name: "push-\${matrix.l}", timeout_sec: 5 }
    max_failed_shards: 5%
  - { id: d, command: d, matrix: { l: [fr, de] }, depends_on: [b], consumes: [b] }
  - { id: c, command: "true", retries: 2, timeout_sec: 3 }
`;

/** What is wrong with a result: it has to be a plan its schema accepts, or errors that can be printed. */
function faultsOf(result: CompileResult): unknown[] {
  const problems = result.ok ? result.warnings : result.problems;
  const faults: unknown[] = problems.map(formatProblem).filter((text) => /undefined|\[object|NaN:/.test(text));
  if (problems.some(({ severity }) => severity === "error") === result.ok) faults.push("errors beside a plan, or none");
  if (!result.ok) return faults;
  const check = CompiledPlanSchema.safeParse(result.plan);
  if (!check.success) faults.push(check.error);
  if (new PlanGraph(result.plan).ids.length !== result.plan.phases.length) faults.push("phases are lost");
  return faults;
}

describe("whatever it is given, the compiler answers with a plan or with problems", () => {
  test("for a valid text", () => {
    const result = compilePlanText({ text: VALID, file: "plan.yaml" });
    expect(result.ok).toBe(true);
    expect(faultsOf(result)).toEqual([]);
  });

  test("for a text with pieces cut out or put in", () => {
    const piece = fc.constantFrom(
      "",
      " ",
      "\n",
      "\t",
      ":",
      "- ",
      "{",
      "]",
      "&x ",
      "*x",
      "<<: *env",
      "!t ",
      '"',
      "'",
      "#",
      "-1",
      "${Y}",
      "${matrix.l}",
      "API_TOKEN: x",
      "\0",
    );
    const edit = fc.tuple(fc.nat({ max: VALID.length }), fc.nat({ max: 12 }), piece);
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = VALID;
        for (const [at, length, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + length);
        expect(faultsOf(compilePlanText({ text, file: "plan.yaml" }))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("for any value in the place of any other", () => {
    const odd = fc.oneof(
      fc.constantFrom(
        undefined,
        null,
        -1,
        0.5,
        "",
        "a b",
        "a",
        [],
        {},
        ["a", "a"],
        { phase: "a" },
        new Map(),
        Symbol("s"),
      ),
      fc.anything({ maxDepth: 2 }),
    );
    const field = fc.constantFrom(...Object.keys(PhaseSchema.shape), ...UNSUPPORTED_FIELDS.phase, "what");
    const phase = fc.oneof(odd, fc.dictionary(field, odd), fc.constant({ id: "a", command: "x" }));
    const members = fc.oneof(fc.array(fc.oneof(phase, fc.constantFrom("a", "b")), { maxLength: 3 }), odd);
    const stage = fc.record(
      { id: fc.oneof(fc.constantFrom("s", "t"), odd), phases: members, jobs: members },
      { requiredKeys: [] },
    );
    const plan = fc.record(
      {
        plan_id: fc.oneof(fc.constant("p"), odd),
        version: fc.oneof(fc.constant("1"), odd),
        phases: fc.oneof(fc.array(phase, { maxLength: 4 }), odd),
        steps: odd,
        stages: fc.oneof(fc.array(fc.oneof(stage, odd), { maxLength: 3 }), odd),
        globals: odd,
        variables: fc.oneof(odd, fc.dictionary(fc.string(), odd)),
        metadata: odd,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(plan, odd), fc.constantFrom([], ["a"], ["s"]), (value, exclude) => {
        expect(faultsOf(compilePlanValue(value, { exclude }))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
