import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { planOf, samplePlan, summaryOf } from "./plan-samples.ts";

const LIST = { id: "list", command: "ls" };

function each(fields: Record<string, unknown>) {
  return samplePlan([LIST, { id: "each", command: "wc", depends_on: ["list"], for_each: "list", ...fields }]);
}

function summary(fields: Record<string, unknown>): string[] {
  return summaryOf(compilePlanValue(each(fields)));
}

describe("for_each", () => {
  test("makes a shard of each item, and puts the outputs one behind the other", () => {
    const [, phase] = planOf(compilePlanValue(each({}))).phases;
    expect(phase).toMatchObject({
      shard: { strategy: "chunk", over: "list", chunk_size: 1 },
      over_phase: "list",
      for_each: { format: "auto" },
      merge: { strategy: "concat" },
    });
    const named = each({ for_each: { artifact: "list", format: "json_array" }, merge: { strategy: "array" } });
    expect(planOf(compilePlanValue(named)).phases[1]).toMatchObject({
      for_each: { format: "json_array" },
      merge: { strategy: "array" },
    });
  });

  test.each([
    [
      { for_each: "lost" },
      'UNKNOWN_ARTIFACT phase "each": reads "lost", but no phase provides it (did you mean "list"?)',
    ],
    [
      { for_each: { artifact: "list", format: "csv" } },
      'BAD_ENUM phase "each": for_each.format must be json_array, line_delimited or comma_separated, not "csv"',
    ],
    [
      { for_each: { artefact: "list" } },
      'UNKNOWN_KEY phase "each": unknown key "artefact" in for_each (did you mean "artifact"?)',
    ],
    [
      { depends_on: [] },
      'ARTIFACT_NOT_UPSTREAM phase "each": reads "list", but does not depend on "list", which provides it (add "list" to depends_on)',
    ],
    [
      { shard: { strategy: "full" } },
      'MISPLACED_FIELD phase "each": for_each makes a shard of each item; it does not go with shard',
    ],
    [
      { merge: { strategy: "records", key: "a", complete: true } },
      'MISSING_KEY phase "each": complete needs shard.over, which says what complete is',
    ],
  ])("has to make sense: %j", (fields, expected) => {
    expect(summary(fields)).toContain(expected);
  });

  test("cannot join the instances of a matrix", () => {
    const plan = samplePlan([
      { ...LIST, matrix: { os: ["linux", "mac"] } },
      { id: "each", command: "wc", depends_on: ["list"], for_each: "list" },
    ]);
    expect(summaryOf(compilePlanValue(plan))).toEqual([
      'OVER_JOINS phase "each": for_each "list" would join 2 instances of "list" (give this phase the dimension os too, or put a phase in between that folds them into one)',
    ]);
  });
});

describe("an item", () => {
  const REFUSED = 'a shell would run what is in {{item}}; write "$FANFOLD_ITEM" instead, in double quotes';

  test.each([
    { shell: true, command: "wc {{item}}" },
    { shell: true, command: "wc", args: ["-l", "{{ item }}"] },
    { command: "sh", args: ["-c", "wc {{item}}"] },
    { command: "/bin/bash", args: ["-e", "-xc", "wc {{item}}"] },
  ])("is refused where a shell would run it: %j", (fields) => {
    expect(summary(fields)).toEqual([`SHELL_INJECTION phase "each": ${REFUSED}`]);
  });

  test.each([
    { command: "wc", args: ["{{item}}"], env: { NAME: "{{item}}" }, cwd: "{{item}}" },
    { shell: true, command: 'wc "$FANFOLD_ITEM" # {{index}}', env: { NAME: "{{item}}" } },
    { command: "sh", args: ["-c", 'wc "$1"', "sh", "{{item}}"] },
    { for_each: undefined, shell: true, command: "docker ps --format {{item}}" },
  ])("may stand elsewhere: %j", (fields) => {
    expect(summary(fields)).toEqual([]);
  });
});

test("reuse goes by the item: not where its index is used", () => {
  const reuse = (fields: Record<string, unknown>) =>
    planOf(compilePlanValue(each({ cache: true, ...fields }))).phases[1]?.reuse;
  expect(reuse({ args: ["{{item}}"] })).toBeDefined();
  expect(reuse({ args: ["{{index}}"] })).toBeUndefined();
  expect(reuse({ env: { N: "{{ index }}" } })).toBeUndefined();
});
