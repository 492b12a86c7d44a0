import { InstanceIdSchema } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { keepSpawned } from "../../src/spawn/keep-spawned.ts";
import { spawnedPhase, spawnedPhaseId } from "../../src/spawn/spawned-phase.ts";
import { phaseOf } from "../run/run-fixture.ts";
import { addChildren, definitionOf, spawnedBy, testingRun } from "./spawn-fixture.ts";

describe("the id of a child", () => {
  test("shows its key, and tells apart who spawned it", () => {
    const dev = phaseOf("dev", {});
    const id = spawnedPhaseId(dev, spawnedBy("round-1"));
    expect(id).toMatch(/^dev\[spawned=round-1\.[0-9a-f]{12}\]$/);
    expect(spawnedPhaseId(dev, spawnedBy("round-1"))).toBe(id);
    const others = [{ attempt: 2 }, { shard: 1 }, { revision: 2 }, { phase: "test2" }, { key: "round-2" }];
    const ids = others.map((other) => spawnedPhaseId(dev, spawnedBy("round-1", other)));
    expect(new Set([id, ...ids]).size).toBe(6);
  });

  test("has the coordinates of its model, and is an id however long these are", () => {
    const model = phaseOf("dev", { matrix: { language: "french" } });
    expect(spawnedPhaseId(model, spawnedBy("fix"))).toMatch(/^dev\[language=french,spawned=fix\.[0-9a-f]{12}\]$/);
    const large = phaseOf("d".repeat(100), { matrix: { language: "f".repeat(180) } });
    const id = spawnedPhaseId(large, spawnedBy("k".repeat(100)));
    expect(InstanceIdSchema.safeParse(id).success).toBe(true);
  });
});

describe("a child", () => {
  test("is its model without what ties that one to others, and answers to its spawner", () => {
    const run = testingRun({ spec: {} });
    const model = { ...definitionOf(run, "dev"), condition: "false", depends_on: definitionOf(run, "test").depends_on };
    const child = spawnedPhase(run.state.graph, "dev[spawned=a.1]", spawnedBy("a"));
    expect(child).toMatchObject({
      template: "dev",
      work: model.work,
      takes_part: true,
      condition: null,
      depends_on: [],
      on_failure: "continue",
      critical: false,
      spawned: { depth: 1, key: "a" },
    });
  });

  test("cannot spawn deeper than its first spawner may", () => {
    const run = testingRun();
    const [child = ""] = addChildren(run, [spawnedBy("a")]);
    expect(definitionOf(run, child).spawn?.max_depth).toBe(3);
    const [grandchild = ""] = addChildren(run, [spawnedBy("b", { phase: child })]);
    expect(definitionOf(run, grandchild)).toMatchObject({ spawned: { depth: 2 }, spawn: { max_depth: 3 } });
  });

  test("runs under the lock that its spawner, or one above it, holds", () => {
    const run = testingRun({ other: { lock: "desk" } }, { lock: "desk" });
    const [child = ""] = addChildren(run, [spawnedBy("a", { copy_of: "other" })]);
    expect(definitionOf(run, child).lock).toBeNull();
    const [grandchild = ""] = addChildren(run, [spawnedBy("b", { phase: child, copy_of: "other" })]);
    expect(definitionOf(run, grandchild).lock).toBeNull();
    const unlocked = testingRun({ other: { lock: "desk" } });
    const [locked = ""] = addChildren(unlocked, [spawnedBy("a", { copy_of: "other" })]);
    expect(definitionOf(unlocked, locked).lock?.name).toBe("desk");
  });

  test("stays in its run when the plan is changed, unless its spawner goes", () => {
    const run = testingRun({ spec: {} });
    const before = run.state.plan;
    const [child = ""] = addChildren(run, [spawnedBy("a")]);
    const [grandchild = ""] = addChildren(run, [spawnedBy("b", { phase: child })]);
    const ids = (phases: readonly { id: string }[]): string[] => phases.map(({ id }) => id);
    expect(ids(keepSpawned(before, run.state.plan).phases)).toEqual(["test", "dev", "spec", child, grandchild]);
    const without = { ...before, phases: before.phases.filter(({ id }) => id !== "test") };
    expect(ids(keepSpawned(without, run.state.plan).phases)).toEqual(["dev", "spec"]);
  });
});
