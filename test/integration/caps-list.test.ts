import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { explainWaits } from "@fanfold/core";
import { gatherWhyFacts, listCaps, systemClock, warnOfUnservedPools } from "@fanfold/engine";
import { compile, type Deployment, eventually } from "@fanfold/testkit";
import type { PlanInput } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const UNTIL_GO = "until [ -e go ]; do sleep 0.01; done";

const PLAN: PlanInput = {
  plan_id: "caps",
  version: "1",
  globals: { max_concurrency: 3 },
  phases: [
    {
      id: "fan",
      command: UNTIL_GO,
      shell: true,
      max_parallel: 2,
      concurrency_key: { name: "api", limit: 5 },
      shard: { strategy: "chunk", over: [1, 2, 3, 4], chunk_size: 1 },
      merge: { strategy: "concat" },
    },
    { id: "gpu", command: "true", pool: "gpu" },
    { id: "next", command: "true", depends_on: ["fan", "gpu"] },
  ],
};

async function started(deployment: Deployment): Promise<string> {
  const runId = await deployment.submit(PLAN, "mine");
  await eventually(async () => ((await deployment.story(runId)).match(/shard_started/g) ?? []).length === 2);
  await eventually(async () => (await deployment.store.ledger.findPhase(runId, "gpu"))?.in_flight === 1);
  return runId;
}

test(
  "lists every cap with its holders, and says of each thing why it is not running",
  withDeployment(async (deployment) => {
    const { store, engine } = deployment;
    await store.pools.limit("default", { concurrency: 9, rate: { max: 100, durationMs: 1_000 } });
    const runId = await started(deployment);
    const caps = await listCaps(engine);
    const inUse = caps.map(({ kind, name, limit, in_use, waiting }) => ({ kind, name, limit, in_use, waiting }));
    expect(inUse).toEqual([
      { kind: "run", name: runId, limit: 3, in_use: 3, waiting: 2 },
      { kind: "phase", name: "mine/fan", limit: 2, in_use: 2, waiting: 2 },
      { kind: "key", name: "api", limit: 5, in_use: 2, waiting: 0 },
      { kind: "pool", name: "default", limit: 9, in_use: 2, waiting: 0 },
    ]);
    expect(await listCaps(engine, runId)).toEqual(caps);
    const [, , api] = caps;
    const holders = [0, 1].map((shard) =>
      expect.objectContaining({ run_id: runId, phase: "fan", shard, attempt: 1, worker: "worker-1" }),
    );
    expect(api?.holders).toEqual(expect.arrayContaining(holders));

    const reasons = explainWaits(await gatherWhyFacts(engine, runId, systemClock));
    expect(reasons.map(({ phase, code }) => `${phase} ${code}`)).toEqual([
      "fan run_cap",
      "gpu no_worker",
      "next waits_for_phase",
    ]);
    expect(reasons[1]?.why).toBe("no worker serves pool gpu; pools with workers: default");
    expect(await warnOfUnservedPools(store, compile(PLAN))).toEqual([reasons[1]?.why]);

    await engine.pause(runId, "test");
    const paused = explainWaits(await gatherWhyFacts(engine, runId, systemClock), { phase: "fan", shard: 3 });
    expect(paused).toMatchObject([{ code: "paused" }]);
    await store.pools.clear("default");
    expect((await listCaps(engine)).map(({ kind }) => kind)).not.toContain("pool");
    await writeFile(join(deployment.dir, "go"), "");
  }),
);
