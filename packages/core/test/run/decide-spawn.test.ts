import { describe, expect, test } from "vitest";
import { planRerun } from "../../src/run/plan-rerun.ts";
import { isEmptyDecision, phaseRecord } from "../../src/run/run-state.ts";
import { childrenState } from "../../src/spawn/children-state.ts";
import { addChildren, spawnedBy, testingRun } from "../spawn/spawn-fixture.ts";
import { storyOf, type TestRun } from "./run-fixture.ts";

/** Has the first attempt of `test` spawn these. @returns their ids, and what was decided */
function spawn(run: TestRun, ...keys: string[]): { children: string[]; story: string } {
  const children = addChildren(
    run,
    keys.map((key) => spawnedBy(key)),
  );
  return { children, story: storyOf(run.apply({ type: "spawned", phase: "test", revision: 1, children })) };
}

describe("what an attempt spawns", () => {
  test("starts at once, and keeps the run from ending; asked for again it changes nothing", () => {
    const run = testingRun();
    const { children, story } = spawn(run, "a", "b");
    const [a = "", b = ""] = children;
    expect(story).toBe(`phase_spawned ${a}, phase_spawned ${b}, open_phase ${a}.r1, open_phase ${b}.r1`);
    expect(isEmptyDecision(run.apply({ type: "spawned", phase: "test", revision: 1, children }))).toBe(true);
    run.succeed("test", "t");
    expect(run.state.run.status).toBe("running");
    expect(storyOf(run.succeed(a, "a"))).toContain("resume_spawner test.r1");
    run.succeed(b, "b");
    expect(run.state.run.status).toBe("succeeded");
  });

  test("does not start in a run that was stopped, nor for a revision that is over", () => {
    const stopped = testingRun();
    const children = addChildren(stopped, [spawnedBy("a")]);
    stopped.cancel();
    expect(isEmptyDecision(stopped.apply({ type: "spawned", phase: "test", revision: 1, children }))).toBe(true);
    const over = testingRun({ more: {} });
    over.succeed("test", "t");
    const late = addChildren(over, [spawnedBy("a")]);
    expect(isEmptyDecision(over.apply({ type: "spawned", phase: "test", revision: 1, children: late }))).toBe(true);
  });

  test("fails without harm to the run; its spawner's shard is told, and that one's failure counts", () => {
    const run = testingRun({ ship: { after: ["test"] } });
    const [child = ""] = spawn(run, "a").children;
    expect(storyOf(run.fail(child))).toBe(`phase_failed ${child}, resume_spawner test.r1`);
    expect(run.state.run.stop).toBeNull();
    run.fail("test");
    expect(run.statuses).toBe(`test:failed dev:skipped ship:cancelled ${child}:failed`);
    expect(run.state.run.status).toBe("failed");
  });

  test("is neither stale nor run again by itself when what it reads has changed", () => {
    const run = testingRun();
    const [child = ""] = spawn(run, "a").children;
    run.succeed(child, "a");
    run.succeed("test", "b");
    run.rerun(["test"], "downstream");
    run.succeed("test", "c");
    expect(phaseRecord(run.state, child)).toMatchObject({ revision: 1, status: "succeeded" });
    expect(phaseRecord(run.state, child).stale).toBeUndefined();
    const { steps, problems } = planRerun(run.state, { phases: [child], reach: "only", changed: new Map() });
    expect(steps).toEqual([]);
    expect(problems.map(({ message }) => message)).toEqual([
      `phase ${child} was spawned; run test again, which spawned it`,
    ]);
  });
});

describe("the children of an attempt", () => {
  test.each([
    ["are open while one is not over", ["succeeded", "running"], "open"],
    ["are open while one is not in the plan yet", ["succeeded", undefined], "open"],
    ["are done once all have succeeded", ["succeeded", "succeeded"], "done"],
    ["have failed once one has, whatever the others do", ["running", "failed"], "failed"],
    ["have failed once one was cancelled", ["cancelled", "succeeded"], "failed"],
  ] as const)("%s", (_what, statuses, kind) => {
    const record = (id: string) => {
      const status = statuses[Number(id)];
      return status === undefined ? undefined : { status, revision: 0 };
    };
    expect(childrenState(["0", "1"], record).kind).toBe(kind);
  });
});
