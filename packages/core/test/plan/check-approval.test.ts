import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { explainPlan } from "../../src/plan/explain-plan.ts";
import { planGraphText } from "../../src/plan/plan-graph-text.ts";
import { planOf, samplePlan, summaryOf } from "./plan-samples.ts";

function compile(fields: Record<string, unknown>, globals = {}) {
  return compilePlanValue(
    samplePlan(
      [
        { id: "build", command: "x" },
        { id: "a", ...fields },
      ],
      { globals },
    ),
  );
}

const VALUES: Readonly<Record<string, unknown>> = {
  args: ["x"],
  shell: true,
  cwd: "..",
  env: { A: "1" },
  retries: 1,
  lock: "x",
  pool: "gpu",
  cache: true,
};

function phaseOf(fields: Record<string, unknown>, globals = {}) {
  return planOf(compile(fields, globals)).phases[1];
}

describe("approval", () => {
  test.each([
    ["Ship it?", "Ship it?"],
    [{ message: "Ship it?" }, "Ship it?"],
    [{}, null],
  ])("asks as %j", (approval, message) => {
    expect(phaseOf({ approval })?.work).toEqual({ kind: "approval", message });
  });

  test("waits without end unless the phase itself says how long", () => {
    expect(phaseOf({ approval: "?" }, { default_timeout_sec: 5 })?.answer_within_sec).toBeUndefined();
    expect(phaseOf({ approval: "?", timeout_sec: 60 })?.answer_within_sec).toBe(60);
  });

  test("takes what says when it is asked, what of, and what a rejection does", () => {
    const fields = {
      approval: "Ship ${X}, ${matrix.os}?",
      name: "Review",
      description: "d",
      depends_on: ["build"],
      condition: "true",
      matrix: { os: ["linux"] },
      timeout_sec: 5,
      on_failure: "skip_dependents",
      critical: false,
      consumes: ["build"],
      provides: ["answer"],
      tags: ["t"],
      ui_hints: { x: 1 },
    };
    const result = compilePlanValue(
      samplePlan(
        [
          { id: "build", command: "x" },
          { id: "a", ...fields },
        ],
        { variables: { X: { default: "1.0" } } },
      ),
    );
    expect(summaryOf(result)).toEqual([]);
    expect(planOf(result).phases[1]).toMatchObject({ id: "a[os=linux]", provides: ["answer"] });
    expect(planOf(result).phases[1]?.work).toMatchObject({ message: "Ship 1.0, linux?" });
  });

  test.each<[Record<string, unknown>, string]>([
    [{ command: "x" }, "CONFLICTING_WORK a phase has either a command or an approval, not both"],
    [{ handler: "x.mjs" }, "CONFLICTING_WORK a phase has either a handler or an approval, not both"],
    ...["args", "shell", "cwd", "env", "retries", "lock", "pool", "cache"].map(
      (field): [Record<string, unknown>, string] => [
        { [field]: VALUES[field] },
        `MISPLACED_FIELD ${field} says how work is executed; an approval executes nothing`,
      ],
    ),
    [{ shard: { strategy: "full" } }, "MISPLACED_FIELD shard says how work is executed; an approval executes nothing"],
    [{ provides: ["b", "c"] }, "INVALID_VALUE an approval provides one artifact, which is the answer"],
    [{ approval: "" }, "OUT_OF_RANGE approval must not be empty"],
  ])("has to make sense: %j", (fields, expected) => {
    const [first] = summaryOf(compile({ approval: "?", ...fields })).map((line) => line.replace('phase "a": ', ""));
    expect(first).toBe(expected);
  });

  test("is told apart where a plan is explained and drawn", () => {
    const plan = planOf(compile({ approval: "Ship it?", depends_on: ["build"], timeout_sec: 60 }));
    expect(explainPlan(plan).phases[1]).toMatchObject({
      work: "approval: Ship it?",
      approval: { message: "Ship it?", within_sec: 60 },
      shards: { count: 0 },
    });
    expect(planGraphText(plan, "mermaid")).toContain('p1{{"a<br/>approval"}}');
    expect(planGraphText(plan, "dot")).toContain("shape=hexagon");
  });
});
