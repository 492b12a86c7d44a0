import { existsSync } from "node:fs";
import { join } from "node:path";
import { jobIds, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Works for ever in its first attempt, and not at all in the next. */
const SLOW_AT_FIRST = "[ $FANFOLD_ATTEMPT -gt 1 ] || sleep 60; echo done";

const PLAN = {
  plan_id: "drain",
  version: "1",
  globals: { kill_grace_sec: 0.2, max_concurrency: 2 },
  phases: [
    {
      id: "fan",
      command: "sh",
      args: ["-c", SLOW_AT_FIRST],
      retries: 0,
      shard: { strategy: "chunk" as const, over: [1, 2], chunk_size: 1 },
      merge: { strategy: "concat" as const },
    },
  ],
};

test(
  "a worker whose time to finish is over gives its shards back: no try is spent, and another one runs them at once",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(PLAN);
    await eventually(async () => (await deployment.story(runId)).includes("shard_started fan[1]"));
    await deployment.addWorker();
    await deployment.worker(0).stop({ drainMs: 1 });
    const run = await deployment.ended(runId, 5_000);
    expect(run.status).toBe("succeeded");
    const journal = await deployment.journal(runId);
    const given = journal.filter(({ event }) => event === "shard_given_back");
    expect(
      given.map(({ shard, attempt, data }) => `${shard}.${attempt} ${JSON.stringify(data.worker)}`).sort(),
    ).toEqual(['0.1 "worker-1"', '1.1 "worker-1"']);
    expect(journal.filter(({ event }) => /lost|retry|failed/.test(event))).toEqual([]);
    const record = await deployment.store.ledger.findShard(runId, { phase: "fan", revision: 1, shard: 0 });
    expect(record).toMatchObject({ status: "succeeded", attempt: 2, worker: "worker-2" });
    expect(record?.tries ?? 0).toBe(0);
    expect(record?.losses ?? 0).toBe(0);
    expect(record?.history).toMatchObject([{ attempt: 1, status: "given_back", worker: "worker-1" }]);
    const counts = await deployment.store.ledger.findPhase(runId, "fan");
    expect(counts).toMatchObject({ in_flight: 0, held: 0, succeeded: 2 });
  }),
);

test(
  "a worker that stops lets its shards finish in the time they have",
  withDeployment(async (deployment) => {
    const phases = [{ id: "a", command: "sh", args: ["-c", "sleep 0.3"] }];
    const runId = await deployment.submit({ plan_id: "short", version: "1", phases });
    await eventually(async () => (await deployment.story(runId)).includes("shard_started a[0]"));
    await deployment.worker(0).stop({ drainMs: 10_000 });
    expect((await deployment.ended(runId)).status).toBe("succeeded");
    expect(await deployment.story(runId)).not.toContain("given_back");
  }),
);

test(
  "abort ends at once what SIGTERM does not end, and gives it back",
  withDeployment(async (deployment) => {
    const globals = { kill_grace_sec: 30 };
    const args = ["-c", `trap '' TERM; echo up; while :; do sleep 0.1; done`];
    const phases = [{ id: "a", command: "sh", args }];
    const runId = await deployment.submit({ plan_id: "stubborn", version: "1", globals, phases });
    const ref = { phase: "a", revision: 1, shard: 0 };
    await eventually(async () => (await deployment.story(runId)).includes("shard_started a[0]"));
    const stopped = deployment.worker(0).stop({ drainMs: 1 });
    deployment.worker(0).abort();
    const startedAtMs = performance.now();
    await stopped;
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    expect(await deployment.store.ledger.findShard(runId, ref)).toMatchObject({ status: "released", attempt: 1 });
    const queue = deployment.store.queues.queue(shardQueue("default"));
    expect(await queue.getJobCountByTypes("prioritized", "delayed")).toBe(1);
    await deployment.engine.cancel(runId, "test");
    expect((await deployment.ended(runId, 3_000)).status).toBe("cancelled");
  }),
);

test(
  "a shard that is given back while its run is cancelled is cancelled",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(PLAN);
    await eventually(async () => (await deployment.story(runId)).includes("shard_started fan[1]"));
    await deployment.addWorker();
    await Promise.all([deployment.worker(0).stop({ drainMs: 1 }), deployment.engine.cancel(runId, "test")]);
    expect((await deployment.ended(runId, 5_000)).status).toBe("cancelled");
    const counts = await deployment.store.ledger.findPhase(runId, "fan");
    expect(counts).toMatchObject({ in_flight: 0, held: 0, cancelled: 2 });
  }),
);

test(
  "a merge by a command is given back too, and counts as no try of it",
  withDeployment(async (deployment) => {
    const [fan] = PLAN.phases;
    const args = ["-c", '[ -e again ] && { cat "$@"; exit; }; touch again; sleep 60', "merge"];
    const merge = { strategy: "command" as const, command: "sh", args };
    const phases = [{ ...fan, id: "fan", command: "echo", args: ["x"], merge }];
    const runId = await deployment.submit({ ...PLAN, phases });
    await eventually(() => existsSync(join(deployment.dir, "again")));
    await deployment.addWorker();
    await deployment.worker(0).stop({ drainMs: 1 });
    expect((await deployment.ended(runId, 5_000)).status).toBe("succeeded");
  }),
);

test(
  "a worker that dies after it gave a shard back, and before its job moved, harms nothing",
  withDeployment(
    async (deployment) => {
      const { ledger } = deployment.store;
      const runId = await deployment.submit(PLAN);
      await eventually(async () => (await deployment.story(runId)).includes("phase_started fan"));
      await giveBack(deployment, runId, 0);
      await giveBack(deployment, runId, 1);
      expect(await ledger.findPhase(runId, "fan")).toMatchObject({ in_flight: 2 });
      // what a stalled job asks when another worker gets it
      expect(await ledger.startShard(runId, { ...FAN, shard: 0 }, START)).toMatchObject({
        verdict: "run",
        record: { attempt: 2 },
      });
      await deployment.engine.cancel(runId, "test");
      await eventually(async () => (await ledger.listCancelled(runId, FAN)).includes(1));
      expect(await ledger.startShard(runId, { ...FAN, shard: 1 }, START)).toMatchObject({ verdict: "ended" });
    },
    { workers: 0 },
  ),
);

const FAN = { phase: "fan", revision: 1 };
const START = { worker: "w", nowMs: 1, starts: 1, reopened: false, lossLimit: 3 };

/** Starts a shard as its worker does, and gives it back as far as the ledger is concerned. */
async function giveBack({ store }: Deployment, runId: string, shard: number): Promise<void> {
  const ref = { ...FAN, shard };
  const { record } = await store.ledger.startShard(runId, ref, START);
  if (record?.attempt === undefined || record.fence === undefined) throw new Error("the shard did not start");
  const finish = {
    attempt: record.attempt,
    fence: record.fence,
    outcome: "given_back",
    record: { ...record, status: "released" },
    events: [["shard_given_back", { worker: "w" }]],
    nowMs: 2,
    costUsd: 0,
  } as const;
  const reply = await store.ledger.finishShard(runId, ref, finish, { claimant: jobIds.shard(runId, ref) });
  expect(reply.verdict).toBe("ok");
}

test(
  "a worker that somebody asks through Redis to stop finishes what it has and takes nothing new; one of its name that starts later works",
  withDeployment(async (deployment) => {
    const { drains } = deployment.store;
    const phases = [
      { id: "a", command: "sh", args: ["-c", "sleep 0.3"] },
      { id: "b", command: "true", depends_on: ["a"] },
    ];
    const runId = await deployment.submit({ plan_id: "asked", version: "1", phases });
    await eventually(async () => (await deployment.story(runId)).includes("shard_started a[0]"));
    await drains.request("nobody");
    await drains.request("worker-1");
    await deployment.worker(0).draining;
    await deployment.worker(0).stop();
    await eventually(async () => (await deployment.story(runId)).includes("phase_started b"));
    expect(await deployment.story(runId)).not.toContain("shard_started b");
    await deployment.addWorker({ name: "worker-1" });
    expect((await deployment.ended(runId)).status).toBe("succeeded");
    // the message may be missed: then the key alone tells
    await deployment.store.redis.set(deployment.store.keys.drain("worker-1"), (await drains.nowMs()) + 1);
    await deployment.worker(1).draining;
    await deployment.worker(1).stop();
  }),
);
