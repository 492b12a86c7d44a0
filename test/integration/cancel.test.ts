import { GATES_QUEUE, shardQueue } from "@fanfold/store";
import { eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const PLAN = {
  plan_id: "long",
  version: "1",
  globals: { max_concurrency: 2, kill_grace_sec: 0.2 },
  phases: [
    {
      id: "fan",
      command: "sleep",
      args: ["60"],
      shard: { strategy: "chunk" as const, over: [1, 2, 3, 4, 5, 6], chunk_size: 1 },
      merge: { strategy: "concat" as const },
    },
    { id: "next", command: "true", depends_on: ["fan"] },
  ],
};

test(
  "a cancelled run kills what runs, starts nothing more, and leaves no job behind",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(PLAN);
    await eventually(async () => (await deployment.story(runId)).includes("shard_started fan[1]"));
    await deployment.engine.cancel(runId, "test");
    const run = await deployment.ended(runId, 3_000);
    expect(run.status).toBe("cancelled");
    const story = await deployment.story(runId);
    expect(story.match(/shard_cancelled/g)).toHaveLength(2);
    expect(story).not.toContain("shard_started fan[2]");
    expect(story).toMatch(/run_cancelled$/);
    await deployment.engine.cancel(runId, "test");
    expect(await deployment.story(runId)).toBe(story);
    await eventually(async () => (await deployment.store.queues.queue(GATES_QUEUE).getJobs(["waiting"])).length === 0);
    const queue = deployment.store.queues.queue(shardQueue("default"));
    expect(await queue.getJobCounts("waiting", "prioritized", "delayed", "active")).toEqual({
      waiting: 0,
      prioritized: 0,
      delayed: 0,
      active: 0,
    });
  }),
);

test(
  "a run that waits for its first worker is cancelled at once",
  withDeployment(
    async (deployment) => {
      const runId = await deployment.submit(PLAN);
      await eventually(async () => (await deployment.story(runId)).includes("phase_started fan"));
      await deployment.engine.cancel(runId, "test");
      expect((await deployment.ended(runId, 3_000)).status).toBe("cancelled");
    },
    { workers: 0 },
  ),
);

test(
  "submitting the same run id again gives the run that is there",
  withDeployment(async (deployment) => {
    const plan = { plan_id: "once", version: "1", phases: [{ id: "a", command: "true" }] };
    const first = await deployment.submit(plan, "mine");
    await deployment.ended(first);
    const second = await deployment.submit(plan, "mine");
    expect(second).toBe(first);
    const journal = await deployment.journal("mine");
    expect(journal.filter(({ event }) => event === "shard_started")).toHaveLength(1);
  }),
);
