import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Shards that run until the file `go` is there; two of six at once. */
const PLAN = {
  plan_id: "pausing",
  version: "1",
  globals: { max_concurrency: 3 },
  phases: [
    {
      id: "fan",
      command: "until [ -e go ]; do sleep 0.01; done; cat $FANFOLD_INPUT",
      shell: true,
      shard: { strategy: "chunk" as const, over: [0, 1, 2, 3, 4, 5], chunk_size: 1 },
      merge: { strategy: "concat" as const },
    },
    { id: "next", command: "true", depends_on: ["fan"] },
  ],
};

function started(story: string): number {
  return story.match(/shard_started/g)?.length ?? 0;
}

async function paused(deployment: Deployment): Promise<string> {
  const runId = await deployment.submit(PLAN);
  await eventually(async () => started(await deployment.story(runId)) === 2);
  await deployment.engine.pause(runId, "test");
  return runId;
}

/** Waits until the shards that ran at the pause have ended. */
async function quiet(deployment: Deployment, runId: string): Promise<void> {
  await writeFile(join(deployment.dir, "go"), "");
  await eventually(async () => {
    const counts = await deployment.store.ledger.findPhase(runId, "fan");
    return counts?.in_flight === 0 && counts.succeeded === 2;
  });
}

test(
  "a paused run lets what runs finish, gives back every slot, starts nothing, and goes on when it is resumed",
  withDeployment(
    async (deployment) => {
      const runId = await paused(deployment);
      await deployment.engine.pause(runId, "test");
      await quiet(deployment, runId);
      expect(await deployment.store.runs.get(runId)).toMatchObject({ status: "running", paused: true });
      expect(await deployment.store.redis.hget(deployment.store.keys.run(runId).run, "in_flight")).toBe("0");
      await deployment.engine.sweep(runId);
      expect(started(await deployment.story(runId))).toBe(2);
      await deployment.engine.resume(runId, "test");
      await deployment.engine.resume(runId, "test");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const story = await deployment.story(runId);
      expect(story.match(/run_paused/g)).toHaveLength(1);
      expect(story.match(/run_resumed/g)).toHaveLength(1);
      expect(started(story)).toBe(7);
      const phases = await deployment.store.runs.loadPhases(runId);
      expect(phases.get("fan")?.artifacts?.[0]?.inline).toBe("0\n1\n2\n3\n4\n5\n");
    },
    { concurrency: 2 },
  ),
);

test(
  "a worker that finds a job of a paused run puts it off, and the run goes on when it is resumed",
  withDeployment(
    async (deployment) => {
      const runId = await deployment.submit(PLAN);
      await eventually(async () => (await deployment.story(runId)).includes("phase_started fan"));
      const queue = deployment.store.queues.queue(shardQueue("default"));
      await eventually(async () => (await queue.getJobCountByTypes("waiting", "prioritized")) === 3);
      await deployment.engine.pause(runId, "test");
      await deployment.addWorker();
      await eventually(async () => (await queue.getDelayedCount()) === 3);
      expect(started(await deployment.story(runId))).toBe(0);
      await writeFile(join(deployment.dir, "go"), "");
      await deployment.engine.resume(runId, "test");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
    },
    { workers: 0 },
  ),
);

test(
  "a paused run is cancelled at once, and is not paused any more",
  withDeployment(
    async (deployment) => {
      const runId = await paused(deployment);
      await deployment.engine.cancel(runId, "test");
      expect(await deployment.ended(runId, 3_000)).toMatchObject({ status: "cancelled", paused: false });
      await expect(deployment.engine.pause(runId, "test")).rejects.toMatchObject({ code: "RUN_OVER" });
    },
    { concurrency: 2 },
  ),
);

test(
  "a shard that is retried by hand in a paused run waits until the run is resumed",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit({
      plan_id: "retry",
      version: "1",
      phases: [
        { id: "flaky", command: 'echo x >> tries; test "$(wc -l < tries)" -gt 1', shell: true, on_failure: "continue" },
        { id: "long", command: "until [ -e go ]; do sleep 0.01; done", shell: true },
      ],
    });
    await eventually(async () => (await deployment.story(runId)).includes("phase_failed flaky"));
    await deployment.engine.pause(runId, "test");
    expect(await deployment.engine.retry(runId, {}, "test")).toEqual(["flaky"]);
    const counts = await deployment.store.ledger.findPhase(runId, "flaky");
    expect(counts).toMatchObject({ in_flight: 0, held: 1 });
    expect((await readFile(join(deployment.dir, "tries"), "utf8")).length).toBe(2);
    await deployment.engine.resume(runId, "test");
    await writeFile(join(deployment.dir, "go"), "");
    expect((await deployment.ended(runId)).status).toBe("succeeded");
  }),
);
