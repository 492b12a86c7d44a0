import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AGGREGATE_QUEUE, GATES_QUEUE, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
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
  "of a run that is stopped everything on a queue is cancelled, however much that is",
  withDeployment(
    async (deployment) => {
      const { ledger } = deployment.store;
      const over = Array.from({ length: 3_000 }, (_, n) => n);
      const shard = { strategy: "chunk" as const, over, chunk_size: 1 };
      await writeFile(join(deployment.dir, "none.mjs"), "export default () => {};\n");
      const fan = { id: "fan", handler: "none.mjs", shard, merge: { strategy: "concat" as const } };
      const runId = await deployment.submit({ plan_id: "wide", version: "1", phases: [fan] });
      await eventually(async () => (await ledger.findPhase(runId, "fan"))?.unacked === 0);
      const { in_flight: released = 0 } = (await ledger.findPhase(runId, "fan")) ?? {};
      expect(released).toBeGreaterThan(1_000);
      await deployment.engine.cancel(runId, "test");
      expect((await deployment.ended(runId)).status).toBe("cancelled");
      expect(await ledger.findPhase(runId, "fan")).toMatchObject({ in_flight: 0, cancelled: released });
      const journal = await deployment.journal(runId);
      expect(new Set(journal.map((line) => (line.event === "shard_cancelled" ? line.shard : null))).size).toBe(
        released + 1,
      );
    },
    { workers: 0 },
  ),
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

/** A merge that takes its time, unless there is a file `quick`. */
const MERGING = {
  plan_id: "merging",
  version: "1",
  globals: { kill_grace_sec: 0.1 },
  phases: [
    {
      id: "fold",
      command: "echo hello",
      shell: true,
      merge: {
        strategy: "command" as const,
        command: "/bin/sh",
        args: ["-c", 'test -e quick || sleep 60; cat "$1"', "fold"],
      },
    },
  ],
};

async function merging(deployment: Deployment, runId: string): Promise<void> {
  await eventually(async () => (await deployment.store.queues.queue(AGGREGATE_QUEUE).getActiveCount()) === 1);
  await eventually(async () => (await deployment.story(runId)).includes("shard_succeeded fold[0]"));
}

test(
  "a merge that a cancel kills is cancelled, and so is its phase",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(MERGING);
    await merging(deployment, runId);
    await deployment.engine.cancel(runId, "test");
    expect((await deployment.ended(runId, 5_000)).status).toBe("cancelled");
    const story = await deployment.story(runId);
    expect(story).toContain("phase_cancelled fold");
    expect(story).not.toContain("artifact_rejected");
  }),
);

test(
  "a merge that the time limit kills runs again after a retry",
  withDeployment(async (deployment) => {
    const plan = { ...MERGING, globals: { ...MERGING.globals, timeout_sec: 1 } };
    const run = await deployment.run(plan);
    expect(run).toMatchObject({ status: "failed", stop: "timeout" });
    await writeFile(join(deployment.dir, "quick"), "");
    await deployment.engine.retry(run.run_id, {}, "test");
    expect((await deployment.ended(run.run_id)).status).toBe("succeeded");
    expect((await deployment.store.runs.loadPhases(run.run_id)).get("fold")?.artifacts?.[0]?.inline).toBe("hello\n");
  }),
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
