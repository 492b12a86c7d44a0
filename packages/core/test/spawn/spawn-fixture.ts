import type { CompiledPhase, SpawnedBy } from "@fanfold/schemas";
import { PlanGraph } from "../../src/plan/plan-graph.ts";
import { restoreRunState } from "../../src/run/run-state.ts";
import { spawnedPhase, spawnedPhaseId } from "../../src/spawn/spawned-phase.ts";
import { type PhaseSketch, TestRun } from "../run/run-fixture.ts";

/** A run of `dev`, which may be spawned and takes no part, of `test`, which runs, and of what the test adds. */
export function testingRun(more: Readonly<Record<string, PhaseSketch>> = {}, test: PhaseSketch = {}): TestRun {
  const run = TestRun.started({ test, dev: { takesPart: false }, ...more });
  const phases = run.state.plan.phases.map((phase) =>
    phase.id === "dev" ? { ...phase, spawn: { spawnable: true, max_depth: 3, max_spawned: 20 } } : phase,
  );
  const plan = { ...run.state.plan, phases };
  run.state = { ...run.state, plan, graph: new PlanGraph(plan) };
  return run;
}

/** What is known of a child of the first attempt of `test`. */
export function spawnedBy(key: string, more: Partial<Omit<SpawnedBy, "depth">> = {}): Omit<SpawnedBy, "depth"> {
  const request = { inline: "{}" };
  return { phase: "test", revision: 1, shard: 0, attempt: 1, key, copy_of: "dev", request, ...more };
}

/** Adds children to the plan of a run, as their spawner's scheduler does. @returns their ids */
export function addChildren(run: TestRun, children: readonly Omit<SpawnedBy, "depth">[]): string[] {
  const ids: string[] = [];
  for (const by of children) {
    const { plan, graph, run: record, phases } = run.state;
    const id = spawnedPhaseId(graph.phase(by.copy_of), by);
    const grown = { ...plan, phases: [...plan.phases, spawnedPhase(graph, id, by)] };
    run.state = restoreRunState({ plan: grown, graph: new PlanGraph(grown) }, record, phases);
    ids.push(id);
  }
  return ids;
}

/** A phase of the plan of a run. */
export function definitionOf(run: TestRun, id: string): CompiledPhase {
  return run.state.graph.phase(id);
}
