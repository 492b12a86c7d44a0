import { listPhaseIds, listPhaseIdsOfText } from "@fanfold/core";
import { expect, test } from "vitest";

test("lists the phases that may be left out, also of a plan with problems", () => {
  const inStage = { id: "two", phases: [{ id: "c" }, "a"] };
  const phases = [{ id: "a", matrix: { L: ["x", "y"] } }, { id: "b" }, { id: "b" }, { id: 7 }, null];
  expect(listPhaseIds({ phases, stages: [inStage] })).toEqual(["a", "b", "c"]);
  expect(listPhaseIdsOfText({ text: "steps:\n  - {id: one}\n  - {id: two, nonsense: 1}\n", file: "p.yaml" })).toEqual([
    "one",
    "two",
  ]);
  for (const nothing of [null, "text", [], { phases: "a" }]) expect(listPhaseIds(nothing)).toEqual([]);
  expect(listPhaseIdsOfText({ text: "a: [", file: "p.yaml" })).toEqual([]);
});
