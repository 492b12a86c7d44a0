import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptEnd, RunEngine } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { jobIds, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { Worker } from "bullmq";
import { expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { goodEnd } from "./good-end.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Gives its index; `hold-<shard>` and `break-<shard>` make it wait or fail while they are there. Counts who runs at once. */
const HANDLER = `
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const counts = (globalThis.cappedAtWork ??= {});
export default async ({ run: { shard_index: shard, run_id }, signal }) => {
  const here = (counts[run_id] ??= { now: 0, most: 0 });
  here.now += 1;
  here.most = Math.max(here.most, here.now);
  try {
    while (existsSync(new URL("hold-" + shard, import.meta.url))) await sleep(5, undefined, { signal });
    if (existsSync(new URL("break-" + shard, import.meta.url))) throw new Error("broken");
    return shard;
  } finally {
    here.now -= 1;
  }
};
`;

const COUNT = 24;
const CAP = 3;

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

async function plan({ dir }: Deployment, more: Partial<Phase> = {}): Promise<PlanInput> {
  await writeFile(join(dir, "work.mjs"), HANDLER);
  const over = Array.from({ length: COUNT }, (_, n) => ({ n }));
  const phase: Phase = {
    id: "fan",
    handler: "./work.mjs",
    shard: { strategy: "chunk", over, chunk_size: 1 },
    max_parallel: CAP,
    merge: { strategy: "concat" },
    ...more,
  };
  return { plan_id: "capped", version: "1", phases: [phase] };
}

function file({ dir }: Deployment, kind: "hold" | "break", shard: number): string {
  return join(dir, `${kind}-${shard}`);
}

function mostAtWork(runId: string): number {
  const counts: Record<string, { most: number }> = Reflect.get(globalThis, "cappedAtWork");
  return counts[runId]?.most ?? 0;
}

function queueOf({ store }: Deployment) {
  return store.queues.queue(shardQueue("default"));
}

function jobOf(deployment: Deployment, runId: string, shard: number) {
  return queueOf(deployment).getJob(jobIds.shard(runId, { phase: "fan", revision: 1, shard }));
}

async function started(deployment: Deployment, runId: string, shard: number): Promise<void> {
  await eventually(async () => (await deployment.story(runId)).includes(`shard_started fan[${shard}]`));
}

/** No attempt was lost, and {@link acceptedOnce}. */
async function endedWell(deployment: Deployment, runId: string): Promise<void> {
  await acceptedOnce(deployment, runId);
  expect(await deployment.story(runId)).not.toContain("shard_lost");
}

/** Each shard is accepted once, and nothing is left over. */
async function acceptedOnce(deployment: Deployment, runId: string): Promise<void> {
  expect((await deployment.ended(runId, 30_000)).status).toBe("succeeded");
  const lines = await deployment.journal(runId);
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1));
  const accepted = lines.filter(({ event }) => event === "shard_succeeded").map(({ shard }) => shard ?? -1);
  expect(accepted.sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  const [artifact] = (await deployment.store.runs.loadPhases(runId)).get("fan")?.artifacts ?? [];
  expect(artifact?.inline).toBe(Array.from({ length: COUNT }, (_, i) => `${i}\n`).join(""));
  const counts = await deployment.store.ledger.findPhase(runId, "fan");
  expect(counts).toMatchObject({ next: COUNT, in_flight: 0, held: 0, unacked: 0, succeeded: COUNT });
  await eventually(async () => (await deployment.store.ledger.listClaimants(runId)).length === 0);
}

test(
  "a job goes on with the next shards of its phase where a cap keeps them from the queue",
  withDeployment(async (deployment) => {
    const { run_id } = await deployment.run(await plan(deployment));
    await endedWell(deployment, run_id);
    expect(mostAtWork(run_id)).toBeLessThanOrEqual(CAP);
    const jobs = await queueOf(deployment).getJobs(["completed"], 0, 100);
    expect(jobs.length).toBeLessThan(COUNT);
    const carried = await deployment.store.ledger.findShard(run_id, { phase: "fan", revision: 1, shard: COUNT - 1 });
    expect(jobs.map(({ id }) => id)).toContain(carried?.carrier);
  }),
);

test(
  "a shard that fails leaves the job that carries it, is tried again, and retried by hand carries the run on",
  withDeployment(async (deployment) => {
    for (const shard of [7, 8]) await writeFile(file(deployment, "break", shard), "");
    const runId = await deployment.submit(await plan(deployment, { retries: 1, retry_delay_sec: 0.02 }));
    expect((await deployment.ended(runId)).status).toBe("failed");
    for (const shard of [7, 8]) {
      await eventually(async () => (await (await jobOf(deployment, runId, shard))?.isFailed()) === true);
      await rm(file(deployment, "break", shard));
    }
    expect((await deployment.journal(runId)).filter(({ event }) => event === "shard_retry")).toHaveLength(2);
    await (await jobOf(deployment, runId, 7))?.retry("failed");
    await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.failed === 1);
    await (await jobOf(deployment, runId, 8))?.retry("failed");
    await eventually(async () => (await deployment.store.runs.get(runId)).status === "succeeded");
    await endedWell(deployment, runId);
  }),
);

test(
  "the phase is done though the last shard that is carried fails, where that is tolerated",
  withDeployment(async (deployment) => {
    await writeFile(file(deployment, "break", COUNT - 1), "");
    const { run_id } = await deployment.run(await plan(deployment, { max_failed_shards: 1 }));
    const story = await deployment.story(run_id);
    expect(story).toContain(`shard_failed fan[${COUNT - 1}]`);
    expect(story).toContain("phase_succeeded fan");
    await eventually(async () => (await deployment.store.ledger.listClaimants(run_id)).length === 0);
  }),
);

test(
  "a shard that is carried is left in peace by sweeps and pauses, ends with a cancellation, and with its worker",
  withDeployment(async (deployment) => {
    const last = COUNT - 1;
    await writeFile(file(deployment, "hold", last), "");
    const cancelled = await deployment.submit(await plan(deployment));
    await started(deployment, cancelled, last);
    await deployment.engine.cancelPart(cancelled, { phase: "fan", shard: last }, "test");
    expect((await deployment.ended(cancelled)).status).toBe("failed");
    expect(await deployment.story(cancelled)).toContain(`shard_cancelled fan[${last}]`);

    const runId = await deployment.submit(await plan(deployment));
    await started(deployment, runId, last);
    await deployment.engine.sweep(runId);
    await deployment.engine.pause(runId, "test");
    await deployment.engine.sweep(runId);
    expect(await jobOf(deployment, runId, last)).toBeUndefined();
    await deployment.engine.resume(runId, "test");
    await deployment.worker(0).stop({ drainMs: 1 });
    expect(await deployment.story(runId)).toContain(`shard_given_back fan[${last}]`);
    await rm(file(deployment, "hold", last));
    await deployment.addWorker();
    await endedWell(deployment, runId);
  }),
);

test(
  "a job that somebody removes gives what it carried a job of its own",
  { timeout: 60_000 },
  withDeployment(async (deployment) => {
    await writeFile(file(deployment, "hold", COUNT - 1), "");
    const runId = await deployment.submit(await plan(deployment));
    await started(deployment, runId, COUNT - 1);
    const record = await deployment.store.ledger.findShard(runId, { phase: "fan", revision: 1, shard: COUNT - 1 });
    const { redis, keys } = deployment.store;
    const job = `${keys.prefix}:${shardQueue("default")}:${record?.carrier}`;
    await redis.del(job, `${job}:lock`);
    await deployment.engine.sweep(runId);
    expect(await jobOf(deployment, runId, COUNT - 1)).toBeDefined();
    await rm(file(deployment, "hold", COUNT - 1));
    await eventually(async () => {
      await deployment.engine.sweep(runId);
      return (await deployment.store.runs.get(runId)).finished_at_ms !== null;
    });
    await endedWell(deployment, runId);
  }),
);

test(
  "a job does not go on where others wait in the queue, or the queue is paused, or its pool counts jobs",
  withDeployment(
    async (deployment) => {
      const { store } = deployment;
      const queue = queueOf(deployment);
      /** Ends the first shard of a run whose jobs no worker takes. @returns whether its job was to go on */
      const goesOn = async (): Promise<boolean> => {
        const runId = await deployment.submit(await plan(deployment, { max_parallel: 1 }));
        await eventually(async () => (await jobOf(deployment, runId, 0)) !== undefined);
        await queue.remove(jobIds.shard(runId, { phase: "fan", revision: 1, shard: 0 }));
        const reply = await deployment.engine.endAttempt(await firstEnd(deployment, runId));
        await deployment.engine.takeOver(runId, reply.next === undefined ? "nobody" : firstJob(runId));
        await queue.remove(jobIds.shard(runId, { phase: "fan", revision: 1, shard: 1 }));
        return reply.next !== undefined;
      };
      expect(await goesOn()).toBe(true);
      await queue.pause();
      expect(await goesOn()).toBe(false);
      await queue.resume();
      await store.pools.limit("default", { concurrency: 5 });
      expect(await goesOn()).toBe(false);
      await store.pools.clear("default");
      expect(await goesOn()).toBe(true);
      await queue.add("another", {}, { jobId: "plain" });
      expect(await goesOn()).toBe(false);
      await queue.remove("plain");
      await queue.add("another", {}, { jobId: "of-a-priority", priority: 5 });
      expect(await goesOn()).toBe(false);
    },
    { workers: 0 },
  ),
);

test(
  "what was claimed before, and may be on the queue already, is not carried",
  withDeployment(
    async (deployment) => {
      const runId = await deployment.submit(await plan(deployment, { max_parallel: 1 }));
      await eventually(async () => (await jobOf(deployment, runId, 0)) !== undefined);
      await queueOf(deployment).remove(firstJob(runId));
      const end = await firstEnd(deployment, runId);
      const { claimant, ref, finish } = end;
      await deployment.store.ledger.finishShard(runId, ref, finish, { claimant });
      const { next } = await deployment.engine.endAttempt(end);
      expect(next).toBeUndefined();
      expect(await jobOf(deployment, runId, 1)).toBeDefined();
    },
    { workers: 0 },
  ),
);

function firstJob(runId: string): string {
  return jobIds.shard(runId, { phase: "fan", revision: 1, shard: 0 });
}

function resultOf(shard: number): { output: { inline: string } } {
  return { output: { inline: `${shard}\n` } };
}

/** The good end of the first shard, by a worker that dies with it. */
function firstEnd(deployment: Deployment, runId: string): Promise<AttemptEnd> {
  return goodEnd(deployment, runId, { phase: "fan", revision: 1, shard: 0 }, { output: "0\n" });
}

test(
  "the end of a shard may be cut off anywhere: whoever takes its job over finds what it carried",
  { timeout: 60_000 },
  withDeployment(
    async (deployment, redis) => {
      const runs: string[] = [];
      const { store } = deployment;
      // takes each first job as a worker does that is dead soon after: nothing waits in the queue
      const options = { connection: store.redis, prefix: store.keys.prefix, autorun: false, lockDuration: 200 };
      const taker = new Worker(shardQueue("default"), null, options);
      for (let commands = 2, whole = Number.POSITIVE_INFINITY; commands < whole; commands += 1) {
        const runId = await deployment.submit(await plan(deployment, { max_parallel: 1 }));
        runs.push(runId);
        await eventually(async () => (await taker.getNextJob("dead"))?.id === firstJob(runId));
        const end = await firstEnd(deployment, runId);
        const act = async (engine: RunEngine): Promise<unknown> => {
          const [next] = (await engine.endAttempt(end)).next ?? [];
          if (next === undefined) throw new Error("the job does not go on");
          const { attempt = 0, fence = 0 } = next.record;
          const record = { ...next.record, status: "succeeded", result: resultOf(next.ref.shard) } as const;
          const finish = { ...end.finish, attempt, fence, record };
          return engine.endAttempt({ ...end, ref: next.ref, isCarried: true, finish });
        };
        if (commands === 2) whole = await cutOff(deployment, redis, Number.POSITIVE_INFINITY, act);
        else await cutOff(deployment, redis, commands, act);
      }
      await taker.close();
      await deployment.addWorker();
      for (const runId of runs) await acceptedOnce(deployment, runId);
      expect(await deployment.story(runs[0] ?? "")).toContain("shard_lost fan[2]");
    },
    { workers: 0 },
  ),
);
