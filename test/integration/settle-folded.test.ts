import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { AGGREGATE_QUEUE, jobIds, SCHEDULER_QUEUE } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const FAN = { phase: "fan", revision: 1 };

/** Sums its outputs; `hold` makes it wait, and `folding` is there once it began. */
const MERGE = `
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
export default async ({ readOutputs, signal }) => {
  writeFileSync(new URL("folding", import.meta.url), "");
  while (existsSync(new URL("hold", import.meta.url))) await sleep(5, undefined, { signal });
  let sum = 0;
  for await (const text of readOutputs()) sum += Number(text);
  return sum;
};
`;

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** A phase of three shards that is folded, and what follows it. */
function plan(after: readonly Phase[]): PlanInput {
  const shard = { strategy: "chunk" as const, over: [1, 2, 3], chunk_size: 1 };
  const merge = { strategy: "handler" as const, handler: "./merge.mjs" };
  return { plan_id: "fold", version: "1", phases: [{ id: "fan", handler: "./one.mjs", shard, merge }, ...after] };
}

/** Submits a plan and waits until its fold is held, and the schedulers are too. */
async function heldInFold(deployment: Deployment, after: readonly Phase[]): Promise<string> {
  const { dir, store } = deployment;
  await writeFile(join(dir, "one.mjs"), "export default ({ items }) => items[0];");
  await writeFile(join(dir, "merge.mjs"), MERGE);
  await writeFile(join(dir, "hold"), "");
  const runId = await deployment.submit(plan(after));
  await eventually(() => (existsSync(join(dir, "folding")) ? Promise.resolve() : Promise.reject(new Error("waits"))));
  await store.queues.queue(SCHEDULER_QUEUE).pause();
  return runId;
}

function letGo({ dir }: Deployment): Promise<void> {
  return rm(join(dir, "hold"));
}

const DIRECT: readonly Phase[] = ["left", "right"].map((id) => ({ id, handler: "./one.mjs", depends_on: ["fan"] }));

/** The run succeeded, each phase once, and nothing is owed. */
async function wellEnded({ store }: Deployment, runId: string, phases: number): Promise<void> {
  const lines = [];
  for await (const line of store.journal.readAll(runId)) lines.push(line);
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1));
  expect(lines.filter(({ event }) => event === "phase_succeeded")).toHaveLength(phases);
  expect(lines.filter(({ event }) => event === "run_succeeded")).toHaveLength(1);
  await eventually(async () => (await store.runs.listOutbox(runId)).length === 0);
}

describe("the worker that folds a phase", () => {
  test(
    "settles it, and starts what follows, without a scheduler",
    withDeployment(async (deployment) => {
      const runId = await heldInFold(deployment, DIRECT);
      await letGo(deployment);
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const { store } = deployment;
      const settle = () => store.queues.queue(SCHEDULER_QUEUE).getJob(jobIds.settle(runId, "fan", 1));
      await eventually(async () => (await (await settle())?.getState()) === "waiting");
      await store.queues.queue(SCHEDULER_QUEUE).resume();
      await eventually(async () => (await (await settle())?.isCompleted()) === true);
      await wellEnded(deployment, runId, 3);
      expect((await store.runs.loadPhases(runId)).get("fan")?.artifacts?.[0]?.inline).toBe("6\n");
    }),
  );

  test(
    "leaves it to a scheduler where records are to be cut",
    withDeployment(async (deployment) => {
      const cut: Phase = {
        id: "cut",
        handler: "./one.mjs",
        shard: { strategy: "chunk", over: "fan", chunk_size: 1 },
        depends_on: ["fan"],
        consumes: ["fan"],
        merge: { strategy: "concat" },
      };
      const runId = await heldInFold(deployment, [cut]);
      await letGo(deployment);
      const aggregate = () => deployment.store.queues.queue(AGGREGATE_QUEUE).getJob(jobIds.aggregate(runId, "fan", 1));
      await eventually(async () => (await (await aggregate())?.isCompleted()) === true);
      expect(await deployment.story(runId)).not.toContain("phase_succeeded");
      await deployment.store.queues.queue(SCHEDULER_QUEUE).resume();
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      await wellEnded(deployment, runId, 2);
    }),
  );

  test(
    "may die anywhere in between",
    withDeployment(async (deployment, redis) => {
      const { store } = deployment;
      for (let commands = 0, sent = 1; sent > commands; commands += 1) {
        await rm(join(deployment.dir, "folding"), { force: true });
        const runId = await heldInFold(deployment, DIRECT);
        const counts = await store.ledger.findPhase(runId, "fan");
        if (counts === undefined) throw new Error("fan is not open");
        // another one has folded meanwhile, and dies
        const artifacts = [{ name: "fan", sha256: "0".repeat(64), size_bytes: 1, inline: "6" }];
        await store.ledger.recordFold(runId, FAN, { artifacts });
        sent = await cutOff(deployment, redis, commands, (engine) =>
          engine.settleFolded(runId, { ref: FAN, artifacts, counts }),
        );
        await letGo(deployment);
        await store.queues.queue(SCHEDULER_QUEUE).resume();
        await deployment.engine.sweep(runId);
        expect((await deployment.ended(runId)).status).toBe("succeeded");
        await wellEnded(deployment, runId, 3);
      }
    }),
  );
});
