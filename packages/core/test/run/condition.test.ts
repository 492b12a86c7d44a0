import type { PhaseRecord } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { evaluateCondition } from "../../src/run/condition.ts";
import { artifactNamed, phaseOf } from "./run-fixture.ts";

/** The record of a phase that has succeeded with this output. */
function withOutput(inline: string): PhaseRecord {
  return { status: "succeeded", revision: 1, artifacts: [{ ...artifactNamed("out"), inline }] };
}

const PHASES = new Map<string, PhaseRecord>([
  ["object", withOutput('{"score": 7, "tags": ["x"]}')],
  ["records", withOutput('{"id": 1}\n{"id": 2}\n')],
  ["text", withOutput("all is well\n")],
  ["empty", withOutput("")],
  ["large", { status: "succeeded", revision: 2, artifacts: [artifactNamed("out")] }],
  ["failed", { status: "failed", revision: 0 }],
  ["a[x=y]", { status: "succeeded", revision: 1 }],
]);

function verdictOf(condition: string | undefined) {
  const phase = phaseOf("p", { matrix: { lang: "de" }, ...(condition === undefined ? {} : { condition }) });
  return evaluateCondition(phase, { variables: { MODE: "full", LIMIT: "10" }, phases: PHASES });
}

describe("a condition", () => {
  test("that is not there holds", () => {
    expect(verdictOf(undefined)).toEqual({ kind: "true" });
  });

  test.each([
    ["true", "true"],
    ["1 > 2", "false"],
    ['vars.MODE == "full"', "true"],
    ['vars.MODE == "quick"', "false"],
    ["int(vars.LIMIT) > 9", "true"],
    ['matrix.lang in ["de", "fr"]', "true"],
    ['matrix.lang == "fr"', "false"],
    ['phases.failed.status == "failed"', "true"],
    ['phases.failed.status == "succeeded"', "false"],
    ['phases["a[x=y]"].status == "succeeded"', "true"],
    ["phases.large.revision == 2", "true"],
    ["outputs.object.score > 5", "true"],
    ['"y" in outputs.object.tags', "false"],
    ["size(outputs.records) == 2", "true"],
    ["outputs.records[1].id == 2", "true"],
    ['outputs.text.contains("well")', "true"],
    ['outputs.empty == ""', "true"],
    ["has(outputs.large)", "false"],
    ["has(outputs.failed)", "false"],
  ])("%s is %s", (condition, kind) => {
    expect(verdictOf(condition)).toEqual({ kind });
  });

  test.each([
    ["1 + 1", "condition 1 + 1 gave 2, not true or false"],
    ["[1, 2]", "condition [1, 2] gave [1,2], not true or false"],
    ["vars.MODE", 'condition vars.MODE gave "full", not true or false'],
    ["vars.NOBODY == 'x'", "condition vars.NOBODY == 'x' cannot be evaluated: "],
    ["phases.nobody.status == 'failed'", "cannot be evaluated: "],
    ["outputs.large.score > 1", "cannot be evaluated: "],
    ["outputs.object.score > 'a'", "cannot be evaluated: "],
    ["1 +", "condition 1 + cannot be evaluated: "],
    ["process.exit(1)", "cannot be evaluated: "],
  ])("%s fails and says why in one line", (condition, why) => {
    const verdict = verdictOf(condition);
    expect(verdict).toEqual({ kind: "failed", why: expect.stringContaining(why) });
    expect(verdict).toEqual({ kind: "failed", why: expect.not.stringContaining("\n") });
  });
});
