import { describe, expect, test } from "vitest";
import { sortProblems } from "../../web/src/new-run/field-problems.ts";
import { draftBody, draftCommand, EMPTY_DRAFT } from "../../web/src/new-run/run-draft.ts";
import { rowsOf } from "../../web/src/new-run/text-rows.ts";
import { groupTemplates, readReference } from "../../web/src/new-run/template-list.ts";

describe("a new run", () => {
  test("of a plan is sent without what is empty, and its command names the file it is from", () => {
    const draft = { ...EMPTY_DRAFT, text: ' {"plan_id":"p"}', variables: { A: "", B: "it's" }, baseDir: "jobs" };
    expect(draftBody(draft)).toEqual({
      plan_text: draft.text,
      format: "json",
      variables: { B: "it's" },
      base_dir: "jobs",
    });
    expect(draftCommand(draft)).toBe(String.raw`fanfold submit jobs/plan.json --var 'B=it'\''s'`);
    expect(draftCommand({ ...EMPTY_DRAFT, text: "a: b", fileName: "night.yml" })).toBe("fanfold submit night.yml");
  });

  test("of a template is sent by its name", () => {
    const draft = { ...EMPTY_DRAFT, template: "greet@1", exclude: ["wave", "bow"], runId: " mine " };
    expect(draftBody(draft)).toEqual({ template: "greet@1", exclude: ["wave", "bow"], run_id: "mine" });
    expect(draftCommand(draft)).toBe("fanfold submit --template greet@1 --exclude wave,bow --run-id mine");
  });

  test("has the problems of values at their fields, and those of declarations with the others", () => {
    const problem = { severity: "error", message: "", file: "", line: 0, column: 0, frame: "" } as const;
    const { fields, others } = sortProblems([
      { ...problem, code: "MISSING_VARIABLE", path: ["variables", "A"] },
      { ...problem, code: "BAD_VARIABLE", path: ["variables", "B"], message: "variable B cannot be x" },
      { ...problem, code: "BAD_VARIABLE", path: ["variables", "C", "default"] },
      { ...problem, code: "CYCLE", path: ["phases", 0] },
    ]);
    expect([...fields]).toEqual([
      ["A", { isMissing: true, message: "It needs a value." }],
      ["B", { isMissing: false, message: "It cannot be x." }],
    ]);
    expect(others.map(({ code }) => code)).toEqual(["BAD_VARIABLE", "CYCLE"]);
  });
});

test("a field has a row for each line of its value, and for what a line does not hold, up to a bound", () => {
  expect(["", "a", "a\nb\n", "x".repeat(61), "\n".repeat(50), "x".repeat(100_000)].map(rowsOf)).toEqual([
    1, 1, 3, 2, 12, 12,
  ]);
});

test("templates are chosen by name, those of the deployment first, in their latest version", () => {
  const of = (name: string, version: string, is_built_in: boolean) => {
    return { name, version, description: "", phase_count: 1, is_built_in, added_at_ms: null };
  };
  const choices = groupTemplates([of("own", "1", true), of("b", "2", false), of("b", "1", false)]);
  expect(choices.map(({ latest, versions }) => [latest.name, latest.version, versions])).toEqual([
    ["b", "2", ["2", "1"]],
    ["own", "1", ["1"]],
  ]);
  expect([readReference("b"), readReference("b@1")]).toEqual([
    { name: "b", version: null },
    { name: "b", version: "1" },
  ]);
});
