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
      const before = await countStarts(deployment, large);
      const small = await deployment.run(plan("small", 10));
      const meanwhile = (await countStarts(deployment, large)) - before;
      expect(small.status).toBe("succeeded");
      // behind the queue of the large run it would have waited for some 240 of its shards
      expect(meanwhile).toBeLessThan(60);
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
