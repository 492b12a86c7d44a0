import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import type { Deployment } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();
type PhaseInput = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** `dev` is only spawned: it takes no part of its own accord. */
const DEV: PhaseInput = {
  id: "dev",
  command: `sh`,
  args: ["-c", 'cat "$FANFOLD_SPAWN" > "$FANFOLD_OUTPUT"'],
  enabled: false,
  spawnable: true,
};

/** A request to spawn as a line of FANFOLD_EVENTS. */
function ask(key: string, more: Readonly<Record<string, unknown>> = {}): string {
  return `echo '${JSON.stringify({ type: "spawn", phase: "dev", key, ...more })}' >> "$FANFOLD_EVENTS"`;
}

/** A plan whose phase `test` runs this script. */
function testing(script: string, { test: more = {}, dev = {} }: { test?: object; dev?: object } = {}): PlanInput {
  return {
    plan_id: "loop",
    version: "1",
    phases: [
      { id: "test", command: script, shell: true, ...more },
      { ...DEV, ...dev },
      { id: "ship", command: "cat $FANFOLD_ARTIFACTS/test", shell: true, depends_on: ["test"], consumes: ["test"] },
    ],
  };
}

const SPAWN_TWICE = `
if [ "$FANFOLD_SPAWN_ROUND" -lt 2 ]; then
  echo "{\\"type\\":\\"spawn\\",\\"phase\\":\\"dev\\",\\"key\\":\\"round-$FANFOLD_SPAWN_ROUND\\",\\"variables\\":{\\"ROUND\\":\\"$FANFOLD_SPAWN_ROUND\\"}}" >> "$FANFOLD_EVENTS"
else
  echo "green in attempt $FANFOLD_ATTEMPT after $(ls "$FANFOLD_SPAWNED" | tr '\\n' ' ')" > "$FANFOLD_OUTPUT"
fi`;

async function outputOf({ store }: Deployment, runId: string, phase: string): Promise<string> {
  return (await store.runs.loadPhases(runId)).get(phase)?.artifacts?.[0]?.inline?.trim() ?? "";
}

/** Ids of the phases that were spawned, in the order of the plan. */
async function childrenOf({ store }: Deployment, runId: string): Promise<string[]> {
  const { plan } = await store.runs.loadPlan(runId);
  return plan.phases.filter(({ spawned }) => spawned !== undefined).map(({ id }) => id);
}

describe("a phase that spawns", () => {
  test(
    "waits for what it spawned, and runs again until it spawns nothing more",
    withDeployment(async (deployment) => {
      const run = await deployment.run(testing(SPAWN_TWICE));
      expect(run.status).toBe("succeeded");
      expect(await outputOf(deployment, run.run_id, "ship")).toBe("green in attempt 3 after round-0 round-1");
      const children = await childrenOf(deployment, run.run_id);
      expect(children.map((id) => id.replace(/\.[0-9a-f]{12}\]$/, "]"))).toEqual([
        "dev[spawned=round-0]",
        "dev[spawned=round-1]",
      ]);
      const told = JSON.parse(await outputOf(deployment, run.run_id, children[1] ?? ""));
      expect(told).toEqual({
        key: "round-1",
        depth: 1,
        variables: { ROUND: "1" },
        regression_context: { requested_by: "test" },
        spawner: { phase: "test", revision: 1, shard: 0, attempt: 2 },
      });
      const events = (await deployment.journal(run.run_id)).filter(({ event }) => /spawned|resumed/.test(event));
      expect(events.map(({ event, phase }) => `${event} ${phase}`)).toEqual([
        "shard_spawned test",
        `phase_spawned ${children[0]}`,
        "shard_resumed test",
        "shard_spawned test",
        `phase_spawned ${children[1]}`,
        "shard_resumed test",
      ]);
      const shard = await deployment.store.ledger.findShard(run.run_id, { phase: "test", revision: 1, shard: 0 });
      expect(shard?.tries ?? 0).toBe(0);
      expect(shard?.history?.map(({ status }) => status)).toEqual(["spawned", "spawned"]);
    }),
  );
});
