import type { PlanInput } from "@fanfold/schemas";
import { shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

function plan(id: string, shards: number, priority?: number): PlanInput {
  return {
    plan_id: id,
    version: "1",
    globals: { kill_grace_sec: 0.1 },
    phases: [
      {
        id: "work",
        command: "true",
        shard: { strategy: "chunk", over: Array.from({ length: shards }, (_, n) => n), chunk_size: 1 },
        merge: { strategy: "concat" },
        ...(priority === undefined ? {} : { priority }),
      },
    ],
  };
}

async function countStarts(deployment: Deployment, runId: string): Promise<number> {
  return (await deployment.journal(runId)).filter(({ event }) => event === "shard_started").length;
}

test(
  "a run of 10 shards is not held up by one of 10,000 that came before it",
  withDeployment(
    async (deployment) => {
      const large = await deployment.submit(plan("large", 10_000));
      await eventually(async () => (await countStarts(deployment, large)) > 20);
      const small = await deployment.run(plan("small", 10));
      expect(small.status).toBe("succeeded");
      const lines = await deployment.journal(small.run_id);
      const from = lines.find(({ event }) => event === "phase_started")?.timestamp ?? "";
      const to = lines.findLast(({ event }) => event === "shard_started")?.timestamp ?? "";
      const ofLarge = (await deployment.journal(large)).filter(({ event }) => event === "shard_started");
      const meanwhile = ofLarge.filter(({ timestamp }) => timestamp >= from && timestamp <= to);
      // behind the queue of the large run it would have waited for some 380 of its shards, not for a block of each worker
      expect(meanwhile.length).toBeLessThan(100);
      await deployment.engine.cancel(large, "test");
      await deployment.ended(large);
    },
    { workers: 2, concurrency: 5 },
  ),
);

test(
  "a later run of a higher priority overtakes what is on the queue, and one of a lower priority does not",
  withDeployment(
    async (deployment) => {
      const first = await deployment.submit(plan("first", 6));
      const low = await deployment.submit(plan("low", 2, -1));
      const high = await deployment.submit(plan("high", 6, 5));
      const runs = [first, low, high];
      const queue = deployment.store.queues.queue(shardQueue("default"));
      await eventually(async () => (await queue.getPrioritizedCount()) === 14);
      await deployment.addWorker({ concurrency: 1 });
      const ends = await Promise.all(runs.map(async (run) => (await deployment.ended(run)).finished_at_ms ?? 0));
      const [firstEnd = 0, lowEnd = 0, highEnd = 0] = ends;
      expect(highEnd).toBeLessThan(firstEnd);
      expect(firstEnd).toBeLessThan(lowEnd);
    },
    { workers: 0 },
  ),
);

/** Most shards that ran at once, by the journal. */
function mostAtOnce(lines: readonly { event: string }[]): number {
  let running = 0;
  let most = 0;
  for (const { event } of lines) {
    if (event === "shard_started") running += 1;
    if (event === "shard_succeeded") running -= 1;
    most = Math.max(most, running);
  }
  return most;
}

test(
  "the concurrency of a pool holds over all workers, and can be taken away",
  withDeployment(
    async (deployment) => {
      const { pools } = deployment.store;
      await pools.limit("default", { concurrency: 2 });
      const capped = await deployment.run(plan("capped", 20));
      expect(mostAtOnce(await deployment.journal(capped.run_id))).toBe(2);
      await pools.clear("default");
      expect(await pools.find("default")).toMatchObject({ concurrency: null, rate: null });
      const free = await deployment.run(plan("free", 40));
      expect(mostAtOnce(await deployment.journal(free.run_id))).toBeGreaterThan(2);
    },
    { workers: 2, concurrency: 4 },
  ),
);

test(
  "the rate of a pool holds over all workers, and taking it away takes effect at once",
  withDeployment(
    async (deployment) => {
      const { pools } = deployment.store;
      await pools.limit("default", { rate: { max: 3, durationMs: 60_000 } });
      const runId = await deployment.submit(plan("rated", 8));
      await eventually(async () => (await pools.find("default")).heldBackMs > 0);
      await eventually(async () => (await pools.find("default")).active === 0);
      expect(await countStarts(deployment, runId)).toBe(3);
      await pools.clear("default");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
    },
    { workers: 2, concurrency: 4 },
  ),
);
