import type { PhaseRecord } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { historyDocument } from "../../src/view/phase-history.ts";
import { TestRun } from "../run/run-fixture.ts";

/** `a@r1 superseded <b@r1`, with what is stale and what went wrong. */
function historyOf(run: TestRun, earlier: ReadonlyMap<string, PhaseRecord>): string[] {
  return historyDocument(run.state.graph, run.state.phases, earlier).map(
    ({ phase, revision, status, dependencies, stale_cause, error }) =>
      [
        `${phase}@r${revision} ${status}`,
        ...dependencies.map((from) => `<${from.phase}@r${from.revision}`),
        ...(stale_cause === null ? [] : [`stale ${stale_cause}`]),
        ...(error === null ? [] : [error]),
      ].join(" "),
  );
}

test("lists what was accepted, oldest first, what is in force, and a try that came to nothing", () => {
  const run = TestRun.started({ a: { onFailure: "skip_dependents" }, b: { after: ["a"] }, never: { after: ["b"] } });
  const earlier = new Map<string, PhaseRecord>();
  const rerun = (phase: string): void => {
    for (const [id, record] of run.rerun([phase], "only").revisions) earlier.set(id, record);
  };
  run.succeed("a", "1");
  run.succeed("b", "1");
  rerun("a");
  run.succeed("a", "2");
  rerun("b");
  run.succeed("b", "2");
  rerun("a");
  run.fail("a");
  expect(historyOf(run, earlier)).toEqual([
    "a@r1 superseded",
    "a@r2 superseded",
    "a@r3 failed exit 1",
    "b@r1 superseded <a@r1",
    "b@r2 succeeded <a@r2",
    "never@r1 running <b@r1",
  ]);
});
