import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { AGGREGATE_QUEUE, GATES_QUEUE, jobIds, SCHEDULER_QUEUE, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();
const SHARDS = shardQueue("default");

/** Eight shards, at most three at once; those from 2 on wait until `go` is there. Then a phase that folds nothing. */
function fanPlan(globals: object = { max_concurrency: 3 }): PlanInput {
  const wait = "[ $FANFOLD_SHARD_INDEX -lt 2 ] || until [ -e go ]; do sleep 0.01; done";
  return {
    plan_id: "fan",
    version: "1",
    globals,
    phases: [
      {
        id: "fan",
        command: `${wait}; cat $FANFOLD_INPUT`,
        shell: true,
        shard: { strategy: "chunk", over: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ n })), chunk_size: 1 },
        merge: { strategy: "records", key: "n", complete: true },
      },
      { id: "next", command: "cat $FANFOLD_ARTIFACTS/fan", shell: true, depends_on: ["fan"], consumes: ["fan"] },
    ],
  };
}

const FOLDED = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `{"n":${n}}\n`).join("");

function go(deployment: Deployment): Promise<void> {
  return writeFile(join(deployment.dir, "go"), "");
}

async function waitUntilStarted(deployment: Deployment, runId: string, shards: number): Promise<void> {
  await eventually(async () => {
    const story = await deployment.story(runId);
    return (story.match(/shard_started fan/g) ?? []).length >= shards;
  });
}

/** Deletes every key of a queue, as nobody should. */
async function flush(deployment: Deployment, queue: string): Promise<void> {
  const { redis, keys } = deployment.store;
  for (const key of await redis.keys(`${keys.prefix}:${queue}:*`)) if (!key.endsWith(":lock")) await redis.del(key);
}

async function endedWell(deployment: Deployment, runId: string): Promise<string> {
  const run = await eventually(
    async () => {
      await deployment.engine.sweep(runId).catch(() => undefined);
      const found = await deployment.store.runs.get(runId);
      if (found.finished_at_ms === null) throw new Error(`${found.status}: ${await deployment.story(runId)}`);
      return found;
    },
    { timeoutMs: 18_000, everyMs: 100 },
  );
  const story = await deployment.story(runId);
  expect(`${run.status} ${story}`).toMatch(/^succeeded/);
  const phases = await deployment.store.runs.loadPhases(runId);
  expect(phases.get("next")?.artifacts?.[0]?.inline).toBe(FOLDED);
  const journal = await deployment.journal(runId);
  expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_line, i) => i + 1));
  const accepted = journal
    .filter(({ event }) => event === "shard_succeeded")
    .map((line) => `${line.phase}${line.shard}`);
  expect(accepted.sort()).toEqual(["fan0", "fan1", "fan2", "fan3", "fan4", "fan5", "fan6", "fan7", "next0"]);
  expect(await deployment.store.ledger.findPhase(runId, "fan")).toMatchObject({ in_flight: 0, held: 0, succeeded: 8 });
  return story;
}

describe("jobs removed by hand before a worker had them", () => {
  const removals: [string, (deployment: Deployment, runId: string) => Promise<unknown>][] = [
    [
      "one shard",
      ({ store }, runId) =>
        store.queues.queue(SHARDS).remove(jobIds.shard(runId, { phase: "fan", revision: 1, shard: 1 })),
    ],
    ["all shards", ({ store }) => store.queues.queue(SHARDS).drain()],
    ["the queue of the shards", ({ store }) => store.queues.queue(SHARDS).obliterate({ force: true })],
    ["the gate", ({ store }) => store.queues.queue(GATES_QUEUE).drain()],
    [
      "the gates and the shards",
      async ({ store }) => {
        await store.queues.queue(SHARDS).obliterate({ force: true });
        await store.queues.queue(GATES_QUEUE).obliterate({ force: true });
      },
    ],
    [
      "the aggregate",
      ({ store }, runId) => store.queues.queue(AGGREGATE_QUEUE).remove(jobIds.aggregate(runId, "fan", 1)),
    ],
    ["the queue of the aggregates", ({ store }) => store.queues.queue(AGGREGATE_QUEUE).obliterate({ force: true })],
    ["the queue of the scheduler", ({ store }) => store.queues.queue(SCHEDULER_QUEUE).obliterate({ force: true })],
    ["the keys of the shards", (deployment) => flush(deployment, SHARDS)],
    ["the keys of the aggregates", (deployment) => flush(deployment, AGGREGATE_QUEUE)],
    ["the keys of the gates", (deployment) => flush(deployment, GATES_QUEUE)],
    ["the keys of the scheduler", (deployment) => flush(deployment, SCHEDULER_QUEUE)],
  ];
  for (const [globals, form] of [
    [{ max_concurrency: 3 }, "with a gate"],
    [{}, "without a gate"],
  ] as const) {
    test.concurrent.each(form === "with a gate" ? removals : removals.slice(0, 3))(
      `are put back, ${form}: %s`,
      (name, remove) =>
        withDeployment(
          async (deployment) => {
            await go(deployment);
            const runId = await deployment.submit(fanPlan(globals));
            await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.unacked === 0);
            await remove(deployment, runId);
            await deployment.engine.sweep(runId);
            await deployment.addWorker();
            const story = await endedWell(deployment, runId);
            // obliterating a queue leaves jobs that wait for children
            const isGone =
              !name.includes("the queue of the aggregates") && !name.includes("the queue of the scheduler");
            expect(/(phase|shard)_repaired fan/.test(story)).toBe(isGone);
          },
          { workers: 0 },
        )(),
    );
  }
});

describe("jobs removed under running shards", () => {
  test.concurrent.each([
    [
      "the shards' queue is obliterated",
      ({ store }: Deployment) => store.queues.queue(SHARDS).obliterate({ force: true }),
    ],
    [
      "the aggregates' queue is obliterated",
      ({ store }: Deployment) => store.queues.queue(AGGREGATE_QUEUE).obliterate({ force: true }),
    ],
    ["the keys of the shards are deleted", (deployment: Deployment) => flush(deployment, SHARDS)],
    ["the keys of the scheduler are deleted", (deployment: Deployment) => flush(deployment, SCHEDULER_QUEUE)],
  ])("do not lose or double anything: %s", (_name, remove) =>
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(fanPlan());
      await waitUntilStarted(deployment, runId, 5);
      await remove(deployment);
      await go(deployment);
      await endedWell(deployment, runId);
    })(),
  );
});

test.concurrent(
  "a sweep at any moment finds nothing to put back while nobody removes anything",
  withDeployment(async (deployment) => {
    const over = Array.from({ length: 40 }, (_, n) => n);
    const command = "test $FANFOLD_SHARD_INDEX != 3 || test $FANFOLD_ATTEMPT = 2 && cat $FANFOLD_INPUT";
    const many = {
      command,
      shell: true,
      shard: { strategy: "chunk", over, chunk_size: 1 },
      merge: { strategy: "concat" },
      retries: 1,
      retry_delay_sec: 0.1,
    } as const;
    const one = { command: "true" } as const;
    const phases = [
      { id: "a", ...many, max_parallel: 3 },
      { id: "b", ...many },
      { id: "c", ...one, depends_on: ["a"] },
      { id: "d", ...many, depends_on: ["b"] },
    ];
    const runId = await deployment.submit({ plan_id: "many", version: "1", globals: { max_concurrency: 5 }, phases });
    const isOver = async (): Promise<boolean> => {
      await deployment.engine.sweep(runId);
      return (await deployment.store.runs.get(runId)).finished_at_ms !== null;
    };
    await eventually(isOver, { timeoutMs: 18_000 });
    const story = await deployment.story(runId);
    expect(story).toMatch(/run_succeeded$/);
    expect(story).not.toContain("repaired");
    expect(story).not.toContain("shard_lost");
  }),
);

test(
  "the end of an attempt that is sent again, because its answer was lost, is answered again and recorded once",
  withDeployment(
    async (deployment) => {
      const { ledger } = deployment.store;
      const runId = await deployment.submit(fanPlan());
      await eventually(async () => (await ledger.findPhase(runId, "fan"))?.unacked === 0);
      const ref = { phase: "fan", revision: 1, shard: 0 };
      const now = { nowMs: Date.now() };
      const start = { worker: "w", starts: 1, reopened: false, lossLimit: 3, ...now };
      const { record } = await ledger.startShard(runId, ref, start);
      const { fence = 0, attempt = 0 } = record ?? {};
      const ended = { status: "succeeded", attempt, fence, result: { output: { inline: "{}" } } } as const;
      const finish = { fence, attempt, outcome: "succeeded", record: ended, costUsd: 0, ...now } as const;
      const events = [["shard_succeeded", {}]] as const;
      const first = await ledger.finishShard(runId, ref, { ...finish, events }, { claimant: "w" });
      const again = await ledger.finishShard(runId, ref, { ...finish, events }, { claimant: "w" });
      expect(again).toMatchObject({ verdict: "ok", claimed: first.claimed });
      expect((await deployment.story(runId)).match(/shard_succeeded/g)).toHaveLength(1);
      expect(await ledger.findPhase(runId, "fan")).toMatchObject({ succeeded: 1, in_flight: 3 });
      const late = await ledger.finishShard(runId, ref, { ...finish, fence: fence - 1, events }, { claimant: "w" });
      expect(late.verdict).toBe("refused");
    },
    { workers: 0 },
  ),
);

test(
  "the sweep itself is put back when the scheduler's queue was obliterated, and left alone when it is there",
  withDeployment(async (deployment) => {
    const { queues } = deployment.store;
    const queue = queues.queue(SCHEDULER_QUEUE);
    const planned = async () => ({
      next: (await queue.getJobScheduler("sweep"))?.next,
      ids: (await queue.getDelayed()).map(({ id }) => id),
    });
    await eventually(async () => (await queue.getActiveCount()) === 0);
    const before = await planned();
    expect(before.ids).toHaveLength(1);
    await queues.ensureSweep(15_000);
    expect(await planned()).toEqual(before);
    await queue.obliterate({ force: true });
    await queues.ensureSweep(15_000);
    await eventually(async () => (await queue.getDelayedCount()) === 1);
  }),
);
