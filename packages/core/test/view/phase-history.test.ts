import type { PhaseLedger, PhaseRecord } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { historyDocument, type HistoryFacts } from "../../src/view/phase-history.ts";
import { TestRun } from "../run/run-fixture.ts";

const KNOW_NOTHING: HistoryFacts = {
  counts: new Map(),
  artifactId: (phase, revision, name) => `${phase}/${revision}/${name}`,
};

/** Counts of a revision in which everything is done with, but for what is said. */
function countsOf(counts: Partial<PhaseLedger>): PhaseLedger {
  const none = { in_flight: 0, held: 0, failed: 0, cancelled: 0, excused: 0, unacked: 0, max_parallel: 1 } as const;
  const limits = { window: 1, tolerated: 0, max_consecutive: 0, consecutive: 0, tripped: 0 } as const;
  return { revision: 1, total: 1, next: 1, succeeded: 1, ...none, ...limits, ...counts };
}

/** `a@r1 superseded <b@r1`, with what is stale and what went wrong. */
function historyOf(run: TestRun, earlier: ReadonlyMap<string, PhaseRecord>): string[] {
  return historyDocument(run.state.graph, run.state.phases, earlier, KNOW_NOTHING).map(
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

test("says what a revision came to, as far as it is known, and which artifacts it has", () => {
  const run = TestRun.started({ a: { shard: { strategy: "full", over: "x" } }, b: { after: ["a"] } });
  const earlier = new Map<string, PhaseRecord>();
  run.succeed("a", "1");
  run.succeed("b", "1");
  for (const [id, record] of run.rerun(["a"], "only").revisions) earlier.set(id, record);
  run.fail("a");
  const counts = new Map([
    ["a", countsOf({ revision: 2, total: 3, reused: 1, failed: 2 })],
    ["b", countsOf({ revision: 1 })],
  ]);
  const told = historyDocument(run.state.graph, run.state.phases, earlier, { ...KNOW_NOTHING, counts }).map(
    ({ phase, revision, artifact_ids: ids, summary }) => [`${phase}@r${revision}`, ids, summary],
  );
  expect(told).toEqual([
    ["a@r1", ["a/1/a"], "1 B"],
    ["a@r2", [], "3 shards, 1 reused, 2 failed"],
    ["b@r1", ["b/1/b"], "1 B"],
  ]);
});
