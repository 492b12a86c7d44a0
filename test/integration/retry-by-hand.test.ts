import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { AGGREGATE_QUEUE, GATES_QUEUE, jobIds, SCHEDULER_QUEUE, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Five shards; shard 2 and 3 fail until `mended` is there. */
function fanPlan(fan: Partial<Extract<PlanInput, { phases: unknown }>["phases"][number]> = {}): PlanInput {
  return {
    plan_id: "fan",
    version: "1",
    globals: { max_concurrency: 3 },
    phases: [
      {
        id: "fan",
        command: "test -e mended || ! grep -E '2|3' $FANFOLD_INPUT && cat $FANFOLD_INPUT",
        shell: true,
        shard: { strategy: "chunk", over: [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }], chunk_size: 1 },
        merge: { strategy: "records", key: "n", complete: true },
        on_failure: "skip_dependents",
        ...fan,
      },
      { id: "next", command: "cat", args: ["/dev/null"], depends_on: ["fan"] },
      { id: "after", command: "true", depends_on: ["next"] },
    ],
  };
}

async function mend(deployment: Deployment): Promise<void> {
  await writeFile(join(deployment.dir, "mended"), "");
}

async function retryJob(deployment: Deployment, runId: string, shard: number): Promise<void> {
  const id = jobIds.shard(runId, { phase: "fan", revision: 1, shard });
  const job = await deployment.store.queues.queue(shardQueue("default")).getJob(id);
  // the journal may tell of the failure a moment before the worker has put the job away
  await eventually(async () => (await job?.isFailed()) === true);
  await job?.retry("failed");
}

function aggregateOf({ store }: Deployment, runId: string) {
  return store.queues.queue(AGGREGATE_QUEUE).getJob(jobIds.aggregate(runId, "fan", 1));
}

async function succeeded(deployment: Deployment, runId: string): Promise<void> {
  await eventually(async () => {
    const { status } = await deployment.store.runs.get(runId);
    if (status !== "succeeded") throw new Error(`${status}: ${await deployment.story(runId)}`);
  });
  const phases = await deployment.store.runs.loadPhases(runId);
  expect(phases.get("fan")?.artifacts?.[0]?.inline).toBe('{"n":0}\n{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n');
  const journal = await deployment.journal(runId);
  expect(journal.at(-1)?.event).toBe("run_succeeded");
  const accepted = journal
    .filter(({ event }) => event === "shard_succeeded")
    .map(({ phase, shard }) => `${phase}${shard}`);
  expect(accepted.sort()).toEqual(["after0", "fan0", "fan1", "fan2", "fan3", "fan4", "next0"]);
}

describe("a retry by hand", () => {
  test.each([
    ["in either order", [2, 3]],
    ["in the other order", [3, 2]],
  ])("of each failed job, after the run ended and %s, carries the run on", (_name, order) =>
    withDeployment(async (deployment) => {
      const runId = (await deployment.run(fanPlan())).run_id;
      await mend(deployment);
      for (const shard of order) await retryJob(deployment, runId, shard);
      await succeeded(deployment, runId);
    })(),
  );

  test(
    "of all failed jobs of the queue at once, after the run ended, carries the run on",
    withDeployment(async (deployment) => {
      const runId = (await deployment.run(fanPlan())).run_id;
      await mend(deployment);
      const queue = deployment.store.queues.queue(shardQueue("default"));
      await eventually(async () => (await queue.getFailedCount()) === 2);
      await queue.retryJobs({ state: "failed" });
      await succeeded(deployment, runId);
    }),
  );

  test(
    "while siblings still run lets the phase succeed without having failed",
    withDeployment(async (deployment) => {
      const command =
        "until test -e mended || grep -qE '2|3' $FANFOLD_INPUT; do sleep 0.01; done; test -e mended && cat $FANFOLD_INPUT";
      const runId = await deployment.submit(fanPlan({ command, max_parallel: 3 }));
      await eventually(async () => (await deployment.story(runId)).includes("shard_failed fan[2]"));
      await mend(deployment);
      await retryJob(deployment, runId, 2);
      await eventually(async () => (await deployment.story(runId)).includes("shard_succeeded fan[2]"));
      if ((await deployment.story(runId)).includes("shard_failed fan[3]")) await retryJob(deployment, runId, 3);
      await succeeded(deployment, runId);
    }),
  );

  test.each([
    [
      "cleaned from the queue",
      ({ store }: Deployment) => store.queues.queue(shardQueue("default")).clean(0, 100, "failed"),
    ],
    [
      "removed one by one",
      async ({ store }: Deployment) => {
        for (const job of await store.queues.queue(shardQueue("default")).getFailed()) await job.remove();
      },
    ],
    [
      "obliterated with every queue",
      async ({ store }: Deployment) => {
        for (const name of [shardQueue("default"), AGGREGATE_QUEUE, GATES_QUEUE, SCHEDULER_QUEUE]) {
          await store.queues.queue(name).obliterate({ force: true });
        }
      },
    ],
    [
      "deleted with every queue",
      async ({ store }: Deployment) => {
        const { redis, keys } = store;
        for (const name of [shardQueue("default"), AGGREGATE_QUEUE, GATES_QUEUE]) {
          for (const key of await redis.keys(`${keys.prefix}:${name}:*`)) await redis.del(key);
        }
        for (const key of await redis.keys(`${keys.prefix}:${SCHEDULER_QUEUE}:settle.*`)) await redis.del(key);
      },
    ],
  ])("carries the run on although the failed jobs were %s, and folds no part before", (_name, remove) =>
    withDeployment(async (deployment) => {
      const runId = (await deployment.run(fanPlan())).run_id;
      const queue = deployment.store.queues.queue(shardQueue("default"));
      await eventually(async () => (await queue.getFailedCount()) === 2);
      await remove(deployment);
      expect(await deployment.store.ledger.findFold(runId, { phase: "fan", revision: 1 })).toBeUndefined();
      await mend(deployment);
      expect(await deployment.engine.retry(runId, {}, "test")).toEqual(["fan[2]", "fan[3]"]);
      await succeeded(deployment, runId);
    })(),
  );

  test.each([
    [
      "in its queue",
      async (deployment: Deployment, runId: string) =>
        aggregateOf(deployment, runId).then((job) => job?.retry("failed")),
    ],
    ["through the engine", (deployment: Deployment, runId: string) => deployment.engine.retry(runId, {}, "test")],
    [
      "through the engine after its job was removed",
      async (deployment: Deployment, runId: string) => {
        await (await aggregateOf(deployment, runId))?.remove();
        return deployment.engine.retry(runId, {}, "test");
      },
    ],
  ])("of an aggregate that failed, %s, folds again and carries the run on", (_name, retry) =>
    withDeployment(async (deployment) => {
      const merge = {
        strategy: "command" as const,
        command: "sh",
        args: ["-c", 'test -e mended && cat "$@"', "merge"],
      };
      const plan = fanPlan({ command: "cat $FANFOLD_INPUT", merge });
      const run = await deployment.run(plan);
      expect(run.status).toBe("failed");
      await eventually(async () => (await (await aggregateOf(deployment, run.run_id))?.isFailed()) === true);
      await mend(deployment);
      await retry(deployment, run.run_id);
      await succeeded(deployment, run.run_id);
    })(),
  );

  test(
    "through the engine retries exactly what failed",
    withDeployment(async (deployment) => {
      const runId = (await deployment.run(fanPlan())).run_id;
      await mend(deployment);
      expect(await deployment.engine.retry(runId, {}, "test")).toEqual(["fan[2]", "fan[3]"]);
      await succeeded(deployment, runId);
    }),
  );

  test(
    "after an abort releases the shards that the abort held back",
    withDeployment(
      async (deployment) => {
        const runId = (await deployment.run(fanPlan({ on_failure: "abort", max_parallel: 1 }))).run_id;
        // the other one that fails may have been faster than the abort
        expect((await deployment.store.ledger.findPhase(runId, "fan"))?.failed).toBeGreaterThan(0);
        await mend(deployment);
        await deployment.engine.retry(runId, {}, "test");
        await succeeded(deployment, runId);
      },
      { concurrency: 1 },
    ),
  );

  test(
    "twice in a row, once in vain, ends well",
    withDeployment(async (deployment) => {
      const runId = (await deployment.run(fanPlan())).run_id;
      await retryJob(deployment, runId, 2);
      await eventually(
        async () => (await deployment.journal(runId)).filter(({ event }) => event === "run_failed").length === 2,
      );
      await mend(deployment);
      await retryJob(deployment, runId, 2);
      await retryJob(deployment, runId, 3);
      await succeeded(deployment, runId);
    }),
  );

  test(
    "gives the shard its whole retry budget",
    withDeployment(async (deployment) => {
      const plan = fanPlan({ retries: 1, retry_delay_sec: 0.01 });
      const runId = (await deployment.run(plan)).run_id;
      await deployment.engine.retry(runId, { phase: "fan", shard: 2 }, "test");
      await eventually(
        async () => (await deployment.journal(runId)).filter(({ event }) => event === "run_failed").length === 2,
      );
      const journal = await deployment.journal(runId);
      const retries = journal.filter(({ event, shard }) => event === "shard_retry" && shard === 2);
      expect(retries).toHaveLength(2);
      const shard = await deployment.store.ledger.findShard(runId, { phase: "fan", revision: 1, shard: 2 });
      expect(shard).toMatchObject({ status: "failed", attempt: 4 });
    }),
  );

  test(
    "of a rejected merge folds again",
    withDeployment(async (deployment) => {
      const plan = fanPlan({ command: "test -e mended && cat $FANFOLD_INPUT || echo '{\"n\":0}'" });
      const run = await deployment.run(plan);
      expect(run.status).toBe("failed");
      const aggregate = await deployment.store.queues
        .queue(AGGREGATE_QUEUE)
        .getJob(jobIds.aggregate(run.run_id, "fan", 1));
      await aggregate?.retry("failed");
      await eventually(
        async () => (await deployment.journal(run.run_id)).filter(({ event }) => event === "run_failed").length === 2,
      );
      expect((await deployment.story(run.run_id)).match(/artifact_rejected/g)).toHaveLength(2);
    }),
  );

  test(
    "of a shard that an abort cancelled does not wait for itself",
    withDeployment(
      async (deployment) => {
        const command = "test $FANFOLD_SHARD_INDEX != 0 && sleep 0.3";
        const runId = (await deployment.run(fanPlan({ command, on_failure: "abort" }))).run_id;
        await retryJob(deployment, runId, 2);
        const queue = deployment.store.queues.queue(shardQueue("default"));
        const id = jobIds.shard(runId, { phase: "fan", revision: 1, shard: 2 });
        await eventually(async () => {
          const state = await (await queue.getJob(id))?.getState();
          if (state !== "completed") throw new Error(`${state}: ${await deployment.story(runId)}`);
        });
        expect((await queue.getJob(id))?.stacktrace?.join()).not.toContain("still held by a worker");
      },
      { concurrency: 1 },
    ),
  );

  test(
    "with nothing to retry is refused and says so",
    withDeployment(async (deployment) => {
      const run = await deployment.run({ plan_id: "ok", version: "1", phases: [{ id: "a", command: "true" }] });
      await expect(deployment.engine.retry(run.run_id, {}, "test")).rejects.toThrow("nothing failed");
    }),
  );
});
