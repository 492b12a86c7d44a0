import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { shardQueue } from "@fanfold/store";
import { compile, type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type Key = string | { name: string; limit: number };

/** Shards that say in the file `account` when they start and end. */
function plan(id: string, shards: number, key: Key, command = "sleep 0.02"): PlanInput {
  const over = Array.from({ length: shards }, (_, n) => n);
  return {
    plan_id: id,
    version: "1",
    globals: { kill_grace_sec: 0.1 },
    phases: [
      {
        id: "work",
        command: `echo "+ ${id}" >> account; ${command}; echo "- ${id}" >> account; cat $FANFOLD_INPUT`,
        shell: true,
        concurrency_key: key,
        shard: { strategy: "chunk", over, chunk_size: 1 },
        merge: { strategy: "concat" },
      },
    ],
  };
}

const UNTIL_GO = "until [ -e go ]; do sleep 0.01; done";

async function account(deployment: Deployment): Promise<string[]> {
  return (await readFile(join(deployment.dir, "account"), "utf8").catch(() => "")).split("\n").slice(0, -1);
}

function mostAtOnce(lines: readonly string[]): number {
  let running = 0;
  let most = 0;
  for (const line of lines) {
    running += line.startsWith("+") ? 1 : -1;
    most = Math.max(most, running);
  }
  return most;
}

async function go(deployment: Deployment): Promise<void> {
  await writeFile(join(deployment.dir, "go"), "");
}

/** Nothing is held, and nobody waits. */
async function isAtRest({ store }: Deployment): Promise<void> {
  expect(await store.semaphores.list()).toEqual([]);
  expect(await store.semaphores.listHolders()).toEqual([]);
}

test(
  "a concurrency key caps the shards of all runs together, over all workers, and each run gets its turn",
  withDeployment(
    async (deployment) => {
      const key = { name: "api/eu", limit: 2 };
      const ids = ["a", "b", "c"];
      const runs = await Promise.all(ids.map((id) => deployment.submit(plan(id, 8, key))));
      for (const run of runs) expect((await deployment.ended(run)).status).toBe("succeeded");
      const lines = await account(deployment);
      expect(mostAtOnce(lines)).toBe(2);
      const starts = lines.filter((line) => line.startsWith("+")).map((line) => line.slice(2));
      expect(new Set(starts.slice(4, 10))).toEqual(new Set(ids));
      await isAtRest(deployment);
    },
    { workers: 2, concurrency: 4 },
  ),
);

test(
  "a key that is only a name lets one shard run at a time, and a shard in backoff gives its slot away",
  withDeployment(async (deployment) => {
    const flaky = plan("flaky", 1, "mine", 'test "$FANFOLD_ATTEMPT" = 2 || exit 1');
    const first = await deployment.submit({ ...flaky, globals: { default_retries: 1 } });
    await eventually(async () => (await deployment.story(first)).includes("shard_retry"));
    const second = await deployment.run(plan("other", 3, "mine"));
    expect(second.status).toBe("succeeded");
    expect((await deployment.ended(first)).status).toBe("succeeded");
    expect(mostAtOnce((await account(deployment)).filter((line) => line.endsWith("other")))).toBe(1);
    await isAtRest(deployment);
  }),
);

test(
  "a run that waits for a key is woken when its holder is cancelled or paused, and leaves the line when it is cancelled",
  withDeployment(async (deployment) => {
    const { store, engine } = deployment;
    const holder = await deployment.submit(plan("holder", 2, "k", UNTIL_GO), "holder");
    await eventually(async () => (await account(deployment)).length === 1);
    const gone = await deployment.submit(plan("gone", 2, "k"), "gone");
    await eventually(async () => (await store.semaphores.find("k"))?.waiters.includes(gone));
    const next = await deployment.submit(plan("next", 2, "k"), "next");
    await eventually(async () => (await store.semaphores.find("k"))?.waiters.includes(next));
    expect(await store.semaphores.find("k")).toEqual({
      name: "k",
      limit: 1,
      isSet: false,
      inUse: 1,
      waiters: ["holder", "gone", "next"],
    });
    await engine.cancel(gone, "test");
    await deployment.ended(gone);
    await engine.cancel(holder, "test");
    expect((await deployment.ended(next, 5_000)).status).toBe("succeeded");
    await deployment.ended(holder);
    await isAtRest(deployment);
  }),
);

test(
  "a limit set for the deployment takes the place of the plan's, at once",
  withDeployment(async (deployment) => {
    const { engine, store } = deployment;
    await engine.keys.limit("k", 1);
    const runId = await deployment.submit(plan("capped", 3, { name: "k", limit: 3 }, UNTIL_GO));
    await eventually(async () => (await account(deployment)).length === 1);
    await engine.keys.limit("k", 2);
    await eventually(async () => (await account(deployment)).length === 2);
    expect(await store.semaphores.find("k")).toMatchObject({ limit: 2, isSet: true, inUse: 2 });
    await engine.keys.limit("k", undefined);
    await eventually(async () => (await account(deployment)).length === 3);
    await go(deployment);
    await deployment.ended(runId);
    await isAtRest(deployment);
  }),
);

test(
  "the sweep gives back what a removed run held, and wakes who waited behind it",
  withDeployment(async (deployment) => {
    const { store, engine } = deployment;
    const runId = await deployment.submit(plan("removed", 1, "k", UNTIL_GO), "removed");
    await eventually(async () => (await account(deployment)).length === 1);
    const next = await deployment.submit(plan("next", 1, "k", "true"), "next");
    await eventually(async () => (await store.semaphores.find("k"))?.waiters.includes(next));
    await store.redis.del(...Object.values(store.keys.run(runId)));
    await store.redis.srem(store.keys.liveRuns, runId);
    await engine.sweepShared();
    expect((await deployment.ended(next, 5_000)).status).toBe("succeeded");
    await isAtRest(deployment);
    await go(deployment);
  }),
);

test(
  "the slot of a dead worker's shard stays with its next attempt",
  withDeployment(
    async (deployment) => {
      const { store } = deployment;
      const runId = await deployment.submit(plan("lost", 2, "k"), "lost");
      await eventually(async () => (await store.semaphores.find("k"))?.inUse === 1);
      const ref = { phase: "work", revision: 1, shard: 0 };
      const start = { worker: "w1", nowMs: 1, starts: 1, reopened: false, lossLimit: 3 };
      expect((await store.ledger.startShard(runId, ref, start)).verdict).toBe("run");
      const again = await store.ledger.startShard(runId, ref, { ...start, worker: "w2" });
      expect(again.record).toMatchObject({ status: "running", attempt: 2, losses: 1, worker: "w2" });
      expect(await store.semaphores.listHolders()).toEqual([{ key: "k", runId, ...ref }]);
      await deployment.engine.sweepShared();
      expect(await store.semaphores.find("k")).toMatchObject({ inUse: 1, waiters: [runId] });
      await deployment.engine.cancel(runId, "test");
      const lost = await store.ledger.startShard(runId, ref, { ...start, worker: "w3" });
      expect(lost.verdict).toBe("ended");
      await deployment.engine.sweepShared();
      await isAtRest(deployment);
    },
    { workers: 0 },
  ),
);

test(
  "shards that are claimed while the flow of their phase is being added wait for it",
  withDeployment(
    async ({ store }) => {
      const [definition] = compile(plan("late", 2, "k")).phases;
      if (definition === undefined) throw new Error("no phase");
      const flow = { runId: "late", phase: "work", revision: 1, definition, shardCount: 2, inFlight: 1 };
      const admitted = store.queues.admit(flow, [
        { phase: "work", revision: 1, shard: 1, again: false, carried: false, size: 1 },
      ]);
      const claimed = [{ phase: "work", revision: 1, shard: 0, again: false, carried: false, size: 1 }];
      await store.queues.addFlow(flow, claimed, { hasFlow: false, jobCount: 2 });
      await admitted;
      expect(await store.queues.queue(shardQueue("default")).getPrioritizedCount()).toBe(2);
    },
    { workers: 0 },
  ),
);
