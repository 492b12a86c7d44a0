import { describe, expect, test } from "vitest";
import { type CompileOptions, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { countShards } from "../../src/plan/count-shards.ts";
import { explainPlan } from "../../src/plan/explain-plan.ts";
import { type SamplePhase, samplePlan } from "./plan-samples.ts";

function explain(phases: readonly SamplePhase[], options: CompileOptions = {}, globals = {}) {
  const declared = phases.map((phase) => ({ command: "x", ...phase }));
  const result = compilePlanValue(samplePlan(declared, { globals }), options);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("; "));
  return explainPlan(result.plan, result.leftOut);
}

/** What becomes of each phase: `id: verdict (why)`. */
function verdicts(phases: readonly SamplePhase[], options: CompileOptions = {}): string[] {
  return explain(phases, options).phases.map(
    ({ phase, verdict, why }) => `${phase}: ${verdict}${why === null ? "" : ` (${why})`}`,
  );
}

const soft = (phase: string) => ({ phase, kind: "soft" });

describe("an explanation", () => {
  test("lists phases in an order they could start in, and says how far down each is", () => {
    const phases = [
      { id: "end", depends_on: ["left", "right"] },
      { id: "right", depends_on: ["middle"] },
      { id: "left", depends_on: ["start"] },
      { id: "middle", depends_on: ["start"] },
      { id: "start" },
      { id: "aside" },
    ];
    expect(explain(phases).phases.map(({ phase, level }) => `${level} ${phase}`)).toEqual([
      "0 start",
      "0 aside",
      "1 left",
      "1 middle",
      "2 right",
      "3 end",
    ]);
  });

  test("repeats what the plan says of each phase", () => {
    const phase = {
      id: "t",
      name: "Translate",
      args: ["a b", "it's", "--x=1", ""],
      shell: true,
      matrix: { l: ["fr"] },
      condition: "true",
      max_parallel: 2,
      pool: "gpu",
      retries: 3,
      timeout_sec: 60,
      on_failure: "continue",
      critical: false,
      lock: "push",
      max_failed_shards: "5%",
    };
    expect(
      explain(
        [phase, { id: "h", command: undefined, handler: "./h.mjs" }],
        {},
        { max_concurrency: 4, timeout_sec: 99 },
      ),
    ).toMatchObject({
      plan_id: "sample",
      max_concurrency: 4,
      timeout_sec: 99,
      counts: { runs: 1, conditional: 1, left_out: 0, blocked: 0 },
      phases: [
        {
          phase: "t[l=fr]",
          template: "t",
          name: "Translate",
          matrix: { l: "fr" },
          work: String.raw`/bin/sh -c x 'a b' 'it'\''s' --x=1 ''`,
          condition: "true",
          max_parallel: 2,
          pool: "gpu",
          retry: { retries: 3 },
          timeout_sec: 60,
          on_failure: "continue",
          critical: false,
          lock: { name: "push" },
          max_failed_shards: { unit: "share", value: 0.05 },
        },
        { phase: "h", work: "handler ./h.mjs" },
      ],
    });
  });

  test("says what is left out and why, and what that blocks", () => {
    const phases = [
      { id: "a" },
      { id: "b", depends_on: ["a"] },
      { id: "c", depends_on: [soft("b")] },
      { id: "d", depends_on: ["b"] },
      { id: "e", depends_on: [{ phase: "d", when: "always" }] },
      { id: "f", enabled: false },
    ];
    expect(verdicts(phases, { selection: { skip: ["a"] } })).toEqual([
      "a: left_out (skipped by the selection)",
      "f: left_out (disabled in the plan)",
      "b: blocked (needs a, which takes no part, unless there is an earlier output)",
      "c: skipped (needs b, which is blocked)",
      "d: skipped (needs b, which is blocked)",
      "e: runs",
    ]);
    expect(verdicts(phases, { selection: { from: ["c"], to: ["c"] } })).toEqual([
      "a: left_out (does not follow the phases to start from)",
      "c: runs",
      "f: left_out (disabled in the plan)",
      "b: left_out (does not follow the phases to start from)",
      "d: left_out (does not follow the phases to start from)",
      "e: left_out (does not follow the phases to start from)",
    ]);
  });

  test("says what is clear before anything has run, as the run would decide it", () => {
    const phases = [
      { id: "no", condition: "false" },
      { id: "after", depends_on: ["no", "late"] },
      { id: "late" },
      { id: "bad", condition: "1 / 0 == 1", on_failure: "skip_dependents" },
      { id: "mend", depends_on: [{ phase: "bad", when: "failure" }] },
      { id: "next", depends_on: ["bad", "after"] },
      { id: "always", depends_on: [{ phase: "next", when: "always" }] },
    ];
    expect(verdicts(phases)).toEqual([
      "no: skipped (its condition is false)",
      "late: runs",
      "bad: fails (condition 1 / 0 == 1 cannot be evaluated: division by zero)",
      "after: skipped (needs no, which is skipped)",
      "mend: runs",
      "next: skipped (needs bad, which fails, and after, which is skipped)",
      "always: runs",
    ]);
  });

  test("says what depends on how things go", () => {
    const phases = [
      { id: "a", critical: false },
      { id: "b", depends_on: [{ phase: "a", when: "failure" }] },
      { id: "c", depends_on: ["b"], condition: "true" },
      { id: "d", depends_on: [{ phase: "c", when: "always" }] },
    ];
    expect(verdicts(phases)).toEqual([
      "a: runs",
      "b: conditional (if a fails)",
      "c: conditional (if its condition holds and b has run)",
      "d: runs",
    ]);
  });

  test("counts the phases of a plan without knowing why some are left out", () => {
    const result = compilePlanValue(
      samplePlan([
        { id: "a", command: "x", enabled: false },
        { id: "b", command: "x" },
      ]),
    );
    expect(result.ok && explainPlan(result.plan)).toMatchObject({
      counts: { runs: 1, left_out: 1 },
      phases: [{ why: "takes no part in the run" }, {}],
    });
  });
});

describe("the number of shards", () => {
  const records = [{ scene_id: "1" }, { scene_id: "1" }, { scene_id: "2" }, { scene_id: "1" }, {}];

  test.each([
    [null, 1, "1"],
    [{ strategy: "full" }, 1, "1"],
    [{ strategy: "chunk", chunk_size: 2, over: records }, 3, "3 by chunk, from 5 records"],
    [{ strategy: "scene", over: records }, 4, "4 by scene, from 5 records"],
    [{ strategy: "scene", over: records, batch_size: 2 }, 2, "2 by scene, from 5 records"],
    [{ strategy: "scene", over: records, grouping: "key" }, 3, "3 by scene, from 5 records"],
    [{ strategy: "group", group_by: "scene_id", over: [{}] }, 1, "1 by group, from 1 record"],
    [{ strategy: "chunk", chunk_size: 1, over: [] }, 0, "0 by chunk, from 0 records"],
    [{ strategy: "route", over: records }, null, expect.stringMatching(/^none: 5 records have no route_id/)],
    [{ strategy: "scene", over: "lines" }, null, "by scene, known when ingest has run"],
  ] as const)("of %j", (shard, count, text) => {
    const copy = shard === null ? null : JSON.parse(JSON.stringify(shard));
    expect(countShards({ shard: copy, over_phase: "ingest" })).toEqual({ count, text });
  });
});
