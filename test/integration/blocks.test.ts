import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput, RunRecord } from "@fanfold/schemas";
import { jobIds, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Gives its index; shards in `broken` fail until `mended` is there, those in `slow` wait for `go`. Counts who runs at once. */
const WORK = `
import { existsSync, watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const counts = (globalThis.blocksAtWork ??= {});
export default async ({ run, env, signal }) => {
  const { shard_index: shard, run_id } = run;
  const here = (counts[run_id] ??= { now: 0, most: 0, began: 0 });
  here.now += 1;
  here.began += 1;
  here.most = Math.max(here.most, here.now);
  try {
    if (JSON.parse(env.BROKEN).includes(shard) && !existsSync(env.DIR + "/mended")) throw new Error("broken " + shard);
    if (JSON.parse(env.SLOW).includes(shard)) {
      while (!existsSync(env.DIR + "/go")) await sleep(5, undefined, { signal });
    }
    return shard;
  } finally {
    here.now -= 1;
  }
};
`;

interface Fan {
  readonly count: number;
  readonly broken?: readonly number[];
  readonly slow?: readonly number[];
  readonly phase?: Partial<Extract<PlanInput, { phases: unknown }>["phases"][number]>;
}

async function fanPlan({ dir }: Deployment, { count, broken = [], slow = [], phase = {} }: Fan): Promise<PlanInput> {
  await mkdir(join(dir, "plan"), { recursive: true });
  await writeFile(join(dir, "work.mjs"), WORK);
  return {
    plan_id: "fan",
    version: "1",
    globals: { env: { DIR: dir, BROKEN: JSON.stringify(broken), SLOW: JSON.stringify(slow) } },
    phases: [
      {
        id: "fan",
        handler: "work.mjs",
        shard: { strategy: "chunk", over: Array.from({ length: count }, (_, n) => ({ n })), chunk_size: 1 },
        merge: { strategy: "concat" },
        on_failure: "skip_dependents",
        ...phase,
      },
    ],
  };
}

function atWork(runId: string): { now: number; most: number; began: number } {
  const counts: Record<string, { now: number; most: number; began: number }> = Reflect.get(globalThis, "blocksAtWork");
  return counts[runId] ?? { now: 0, most: 0, began: 0 };
}

/** Waits for the end of a run without reading its long journal again and again. */
async function ended({ store }: Deployment, runId: string): Promise<RunRecord> {
  await eventually(async () => (await store.runs.get(runId)).finished_at_ms !== null, { timeoutMs: 30_000 });
  return store.runs.get(runId);
}

/** Every shard is accepted once, the journal has no gaps, and nothing is left over. */
async function endedWell(deployment: Deployment, runId: string, count: number): Promise<void> {
  const { status } = await ended(deployment, runId);
  const journal = await deployment.journal(runId);
  expect(status).toBe("succeeded");
  expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_line, i) => i + 1));
  const accepted = journal.filter(({ event }) => event === "shard_succeeded").map(({ shard }) => shard ?? -1);
  expect(accepted.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  const [artifact] = (await deployment.store.runs.loadPhases(runId)).get("fan")?.artifacts ?? [];
  expect(artifact?.inline).toBe(Array.from({ length: count }, (_, i) => `${i}\n`).join(""));
  const counts = await deployment.store.ledger.findPhase(runId, "fan");
  expect(counts).toMatchObject({ next: count, in_flight: 0, held: 0, unacked: 0, succeeded: count });
  const keys = deployment.store.keys.run(runId);
  expect(await deployment.store.redis.exists(keys.released, keys.started, keys.waiting, keys.claims, keys.open)).toBe(
    0,
  );
}

async function namesOfJobs({ store }: Deployment): Promise<string[]> {
  const jobs = await store.queues.queue(shardQueue("default")).getJobs(["completed", "failed"], 0, 5_000);
  return jobs.map((job) => job.name);
}

async function events(deployment: Deployment, runId: string, event: string): Promise<(number | null)[]> {
  return (await deployment.journal(runId)).filter((line) => line.event === event).map(({ shard }) => shard);
}

test(
  "small shards of a handler share jobs, and each has its own result and events",
  withDeployment(
    async (deployment) => {
      const runId = await deployment.submit(await fanPlan(deployment, { count: 1_000 }));
      await endedWell(deployment, runId, 1_000);
      // a busy machine may have shards leave a block that they had been started in
      const givenBack = await events(deployment, runId, "shard_given_back");
      expect(await events(deployment, runId, "shard_started")).toHaveLength(1_000 + givenBack.length);
      const names = await namesOfJobs(deployment);
      expect(names).toContain("fan[0-24/1000]");
      // some 60 while nothing else wants the cores
      expect(names.length).toBeLessThan(600);
      const record = await deployment.store.ledger.findShard(runId, { phase: "fan", revision: 1, shard: 17 });
      expect(record).toMatchObject({ status: "succeeded", block: "0+25", result: { output: { inline: "17\n" } } });
    },
    { workers: 2 },
  ),
);

test(
  "a shard that fails for good has a failed job of its own; retried by hand there it carries the run on",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, broken: [101, 103] }));
    expect((await ended(deployment, runId)).status).toBe("failed");
    const queue = deployment.store.queues.queue(shardQueue("default"));
    await eventually(async () => (await queue.getFailedCount()) === 2);
    expect((await queue.getFailed()).map(({ name }) => name).sort()).toEqual(["fan[101/200]", "fan[103/200]"]);
    await writeFile(join(deployment.dir, "mended"), "");
    for (const shard of [101, 103]) {
      const job = await queue.getJob(jobIds.shard(runId, { phase: "fan", revision: 1, shard }));
      await job?.retry("failed");
    }
    await eventually(async () => (await deployment.store.runs.get(runId)).status === "succeeded");
    await endedWell(deployment, runId, 200);
  }),
);

test(
  "a shard that fails in a block is tried again by its phase's rule",
  withDeployment(async (deployment) => {
    const phase = { retries: 500, retry_delay_sec: 0.05 };
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, broken: [55], phase }));
    await eventually(async () => (await events(deployment, runId, "shard_retry")).length >= 2);
    await writeFile(join(deployment.dir, "mended"), "");
    await endedWell(deployment, runId, 200);
    expect(new Set(await events(deployment, runId, "shard_retry"))).toEqual(new Set([55]));
  }),
);

test(
  "shards behind one that takes long leave their block, and run meanwhile",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, slow: [0, 100] }));
    await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.succeeded === 198);
    await writeFile(join(deployment.dir, "go"), "");
    await endedWell(deployment, runId, 200);
    expect(await events(deployment, runId, "shard_lost")).toEqual([]);
  }),
);

test(
  "a cap holds for the shards in blocks",
  withDeployment(
    async (deployment) => {
      const phase = { max_parallel: 8 };
      const runId = await deployment.submit(await fanPlan(deployment, { count: 400, phase }));
      await endedWell(deployment, runId, 400);
      expect(atWork(runId).most).toBeLessThanOrEqual(8);
      expect((await namesOfJobs(deployment)).length).toBeLessThan(400);
      let inFlight = 0;
      for (const { event } of await deployment.journal(runId)) {
        if (event === "shard_started") inFlight += 1;
        if (event === "shard_succeeded" || event === "shard_given_back") inFlight -= 1;
        expect(inFlight).toBeLessThanOrEqual(8);
      }
    },
    { workers: 2 },
  ),
);

test(
  "a cancelled run ends in the middle of its blocks",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(await fanPlan(deployment, { count: 1_000, slow: [3] }));
    await eventually(() => atWork(runId).began > 3);
    await deployment.engine.cancel(runId, "test");
    expect((await ended(deployment, runId)).status).toBe("cancelled");
    const counts = await deployment.store.ledger.findPhase(runId, "fan");
    expect(counts).toMatchObject({ in_flight: 0, held: 0 });
    expect(await events(deployment, runId, "shard_lost")).toEqual([]);
  }),
);

test(
  "a phase that is cancelled by hand ends in the middle of its blocks, and can be retried",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, slow: [3] }));
    await eventually(() => atWork(runId).began > 3);
    await deployment.engine.cancelPart(runId, { phase: "fan" }, "test");
    expect((await ended(deployment, runId)).status).not.toBe("succeeded");
    expect(await deployment.store.ledger.findPhase(runId, "fan")).toMatchObject({ in_flight: 0, held: 0 });
    await writeFile(join(deployment.dir, "go"), "");
    await deployment.engine.retry(runId, {}, "test");
    await eventually(async () => (await deployment.store.runs.get(runId)).status === "succeeded");
    await endedWell(deployment, runId, 200);
  }),
);

test(
  "a paused run starts nothing more of its blocks, and goes on when it is resumed",
  withDeployment(async (deployment) => {
    const runId = await deployment.submit(await fanPlan(deployment, { count: 400, slow: [1] }));
    await eventually(() => atWork(runId).began > 1);
    await deployment.engine.pause(runId, "test");
    await writeFile(join(deployment.dir, "go"), "");
    await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.in_flight === 0);
    const { began } = atWork(runId);
    expect(began).toBeLessThan(400);
    await deployment.engine.resume(runId, "test");
    await endedWell(deployment, runId, 400);
    expect(atWork(runId).began).toBe(400);
  }),
);

test(
  "what a lost worker had started of a block is seen as lost, and tried again",
  withDeployment(
    async (deployment) => {
      const runId = await deployment.submit(await fanPlan(deployment, { count: 200 }));
      await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.unacked === 0);
      const block = { phase: "fan", revision: 1, shard: 0, size: 5 };
      const step = { worker: "lost", nowMs: Date.now(), ended: [], meanMs: undefined, from: 0 };
      const { started } = await deployment.store.ledger.stepBlock(runId, block, { ...step, start: 3 });
      expect(started.map(({ shard }) => shard)).toEqual([0, 1, 2]);
      await deployment.addWorker();
      await endedWell(deployment, runId, 200);
      expect(new Set(await events(deployment, runId, "shard_lost"))).toEqual(new Set([0, 1, 2]));
    },
    { workers: 0 },
  ),
);

/** Lets every so many calls of a method fail, before or after they had their effect: as when a worker dies there. */
function breakNow(target: object, name: string, every: number): () => number {
  const call: (...args: unknown[]) => Promise<unknown> = Reflect.get(target, name).bind(target);
  let calls = 0;
  const broken = async (...args: unknown[]): Promise<unknown> => {
    calls += 1;
    if (calls % every !== 0) return call(...args);
    if (calls % (2 * every) === 0) await call(...args);
    throw new Error(`${name} is cut off`);
  };
  Reflect.set(target, name, broken);
  return () => Math.floor(calls / every);
}

test(
  "a block that is cut off anywhere is taken up again, and accepts each shard once",
  withDeployment(
    async (deployment) => {
      const { store, engine } = deployment;
      const phase = { retries: 500, retry_delay_sec: 0.05 };
      const plan = await fanPlan(deployment, { count: 400, broken: [7, 50, 51, 300], phase });
      const cuts = [breakNow(store.ledger, "stepBlock", 11), breakNow(engine, "leaveBlock", 7)];
      const runId = await deployment.submit(plan);
      await eventually(async () => (await events(deployment, runId, "shard_retry")).length >= 4);
      await writeFile(join(deployment.dir, "mended"), "");
      await endedWell(deployment, runId, 400);
      for (const count of cuts) expect(count()).toBeGreaterThan(0);
      expect((await events(deployment, runId, "shard_lost")).length).toBeGreaterThan(0);
    },
    { workers: 2 },
  ),
);

test(
  "shards that fail in blocks are left out where the phase tolerates them",
  withDeployment(async (deployment) => {
    const phase = { max_failed_shards: 2 };
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, broken: [20, 21], phase }));
    expect((await ended(deployment, runId)).status).toBe("succeeded");
    const [artifact] = (await deployment.store.runs.loadPhases(runId)).get("fan")?.artifacts ?? [];
    expect(artifact?.inline?.split("\n").slice(18, 22)).toEqual(["18", "19", "22", "23"]);
  }),
);

test(
  "a phase that failed in blocks is begun anew in blocks, and its attempts go on counting",
  withDeployment(async (deployment) => {
    const { store, engine } = deployment;
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, broken: [20] }));
    expect((await ended(deployment, runId)).status).toBe("failed");
    await writeFile(join(deployment.dir, "mended"), "");
    await engine.rerun(runId, { phases: ["fan"], reach: "phase" }, "test");
    await eventually(async () => (await store.runs.get(runId)).status === "succeeded");
    const ref = { phase: "fan", revision: 1 };
    const [failed, other] = await store.ledger.findShards(runId, ref, [20, 30]);
    expect(failed).toMatchObject({ status: "succeeded", attempt: 2, history: [{ attempt: 1, status: "failed" }] });
    expect(other).toMatchObject({ status: "succeeded", attempt: 2, block: "30+5" });
    expect(await store.ledger.findPhase(runId, "fan")).toMatchObject({ next: 200, in_flight: 0, succeeded: 200 });
  }),
);

test(
  "blocks whose jobs were removed are put back as shards",
  withDeployment(
    async (deployment) => {
      const runId = await deployment.submit(await fanPlan(deployment, { count: 200 }));
      await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.unacked === 0);
      await deployment.store.queues.queue(shardQueue("default")).obliterate({ force: true });
      await deployment.engine.sweep(runId);
      await deployment.addWorker();
      await endedWell(deployment, runId, 200);
      expect(new Set(await events(deployment, runId, "shard_repaired")).size).toBeGreaterThan(0);
    },
    { workers: 0 },
  ),
);

test(
  "removing a run takes its blocks along",
  withDeployment(async (deployment) => {
    const { store, engine } = deployment;
    const runId = await deployment.submit(await fanPlan(deployment, { count: 200, broken: [20] }));
    await ended(deployment, runId);
    await eventually(async () => (await store.queues.queue(shardQueue("default")).getFailedCount()) === 1);
    await eventually(async () => {
      await engine.remove(runId, { force: false, actor: "test" });
      return true;
    });
    expect((await store.redis.keys("*")).filter((key) => key.includes(runId))).toEqual([]);
  }),
);

test(
  "where the pool has a limit of its own each shard has a job, for the limit counts jobs",
  withDeployment(async (deployment) => {
    await deployment.store.pools.limit("default", { rate: { max: 10_000, durationMs: 1_000 } });
    const runId = await deployment.submit(await fanPlan(deployment, { count: 100 }));
    await endedWell(deployment, runId, 100);
    const names = await namesOfJobs(deployment);
    expect(names.filter((name) => /^fan\[\d+\/100\]$/.test(name))).toHaveLength(100);
  }),
);
