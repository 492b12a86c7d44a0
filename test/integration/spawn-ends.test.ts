import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RunEngine } from "@fanfold/engine";
import type { SchedulerJob } from "@fanfold/schemas";
import { jobIds, PlanSigner, openStore, shardQueue, duplicateConnection, FileArtifactStore } from "@fanfold/store";
import { compile, type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { childrenOf, failuresOf, onlyChild, outputOf, spawnOnce, spawnPlan, statuses } from "./spawn-plan.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();
const TEST = { phase: "test", revision: 1, shard: 0 };

/** Notes that it began, and goes on once the file `go` is there; fails while `broken` is. */
const WAIT = { args: ["-c", "echo x >> begun; until [ -e go ]; do sleep 0.02; done; ! [ -e broken ]"] };
/** Fails while the file `broken` is there. */
const BREAKS = { args: ["-c", "! [ -e broken ]"] };

async function touch({ dir }: Deployment, file: string): Promise<void> {
  await writeFile(join(dir, file), "");
}

async function mend({ dir }: Deployment): Promise<void> {
  await rm(join(dir, "broken"));
}

async function begun(deployment: Deployment): Promise<void> {
  await eventually(() => existsSync(join(deployment.dir, "begun")));
}

async function spawned(deployment: Deployment, runId: string): Promise<void> {
  await eventually(async () => (await deployment.store.ledger.findShard(runId, TEST))?.status === "spawned");
}

/** Every phase of the run has ended well, its shard was tried as often, and nothing of it is left over. */
async function endedWell(deployment: Deployment, runId: string, attempt = 2): Promise<void> {
  expect((await deployment.ended(runId)).status).toBe("succeeded");
  expect(await outputOf(deployment, runId, "ship")).toBe(`done in attempt ${attempt}`);
  expect(await childrenOf(deployment, runId)).toHaveLength(1);
  const { keys, redis } = deployment.store;
  const run = keys.run(runId);
  expect(await redis.scard(run.started)).toBe(0);
  expect(await redis.hget(run.run, "in_flight")).toBe("0");
  const story = await deployment.story(runId);
  expect(story.match(/phase_spawned/g)).toHaveLength(1);
}

describe("a child that fails", () => {
  test(
    "fails its spawner's shard, and with it the run; a retry of the run runs the child again, and then goes on",
    withDeployment(async (deployment) => {
      await touch(deployment, "broken");
      const run = await deployment.run(spawnPlan(spawnOnce(), { dev: BREAKS }));
      expect(run.status).toBe("failed");
      const child = await onlyChild(deployment, run.run_id);
      expect(await failuresOf(deployment, run.run_id)).toEqual([
        expect.stringContaining("dev[spawned=fix] EXIT_NONZERO"),
        expect.stringContaining(`test CHILD_FAILED: ${child}, which it spawned, failed: `),
      ]);
      expect(await statuses(deployment, run.run_id)).toMatchObject({ test: "failed", ship: "cancelled" });
      await mend(deployment);
      const retried = await deployment.engine.retry(run.run_id, {}, "ann");
      expect(retried).toEqual(["test", child]);
      await endedWell(deployment, run.run_id);
    }),
  );

  test.each([["test"], ["dev"]])("is run again by a retry of either: of %s", (phase) =>
    withDeployment(async (deployment) => {
      await touch(deployment, "broken");
      const run = await deployment.run(spawnPlan(spawnOnce(), { dev: BREAKS }));
      await mend(deployment);
      await deployment.engine.retry(run.run_id, { phase }, "ann");
      await endedWell(deployment, run.run_id);
    })(),
  );

  test.each([
    ["its spawner", async (): Promise<string> => "test"],
    ["the child", onlyChild],
  ])("is run again by a retry of the job of %s", (_whose, find) =>
    withDeployment(async (deployment) => {
      await touch(deployment, "broken");
      const run = await deployment.run(spawnPlan(spawnOnce(), { dev: BREAKS }));
      await mend(deployment);
      const phase = await find(deployment, run.run_id);
      const id = jobIds.shard(run.run_id, { phase, revision: 1, shard: 0 });
      const queue = deployment.store.queues.queue(shardQueue("default"));
      await eventually(async () => (await queue.getJobState(id)) === "failed");
      await (await queue.getJob(id))?.retry("failed");
      await eventually(async () => (await deployment.store.runs.get(run.run_id)).status !== "failed");
      await endedWell(deployment, run.run_id);
    })(),
  );

  test(
    "that a spawner tolerates fails no run",
    withDeployment(async (deployment) => {
      await touch(deployment, "broken");
      const policy = { on_failure: "continue", critical: false } as const;
      const plan = spawnPlan(spawnOnce(), { dev: BREAKS, test: policy });
      if ("phases" in plan) plan.phases.pop();
      const run = await deployment.run(plan);
      expect(run).toMatchObject({ status: "succeeded", tolerated_failures: 2 });
    }),
  );

  test(
    "cancelled by hand counts as one that failed",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
      await begun(deployment);
      const child = await onlyChild(deployment, runId);
      await deployment.engine.cancelPart(runId, { phase: child }, "test");
      expect((await deployment.ended(runId)).status).toBe("failed");
      expect(await failuresOf(deployment, runId)).toEqual([
        `test CHILD_FAILED: ${child}, which it spawned, was cancelled: ${child} was cancelled by hand`,
      ]);
      await touch(deployment, "go");
      await deployment.engine.retry(runId, { phase: "test" }, "ann");
      await endedWell(deployment, runId);
    }),
  );
});

describe("a shard that waits for what it spawned", () => {
  test.each([[undefined], [0]])(
    "is cancelled by hand together with it; a retry takes both up again (shard %s)",
    (shard) =>
      withDeployment(async (deployment) => {
        const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
        await begun(deployment);
        await deployment.engine.cancelPart(runId, { phase: "test", shard }, "test");
        expect((await deployment.ended(runId)).status).toBe("failed");
        expect(await statuses(deployment, runId)).toMatchObject({ test: "cancelled", "dev[spawned=fix]": "cancelled" });
        await touch(deployment, "go");
        await deployment.engine.retry(runId, { phase: "test" }, "ann");
        await endedWell(deployment, runId);
      })(),
  );

  test(
    "ends with its run when that is cancelled",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
      await begun(deployment);
      await deployment.engine.cancel(runId, "ann");
      expect((await deployment.ended(runId)).status).toBe("cancelled");
      expect(await statuses(deployment, runId)).toMatchObject({ test: "cancelled", "dev[spawned=fix]": "cancelled" });
    }),
  );

  test(
    "goes on after an abort that another phase caused, once that one is retried",
    withDeployment(async (deployment) => {
      await touch(deployment, "broken");
      const plan = spawnPlan(spawnOnce(), { dev: WAIT });
      if (!("phases" in plan)) throw new Error("no phases");
      const lint = "until [ -e begun ]; do sleep 0.02; done; ! [ -e broken ]";
      plan.phases.push({ id: "lint", command: lint, shell: true });
      const runId = await deployment.submit(plan);
      await eventually(async () => (await deployment.story(runId)).includes("plan_aborted"));
      await mend(deployment);
      await touch(deployment, "go");
      expect((await deployment.ended(runId)).status).toBe("failed");
      expect(await statuses(deployment, runId)).toMatchObject({ test: "cancelled", "dev[spawned=fix]": "succeeded" });
      await deployment.engine.retry(runId, { phase: "lint" }, "ann");
      await endedWell(deployment, runId);
    }),
  );

  test(
    "was given up while it waited, and is run again from the beginning: it spawns anew",
    withDeployment(async (deployment) => {
      const plan = spawnPlan(spawnOnce(), { dev: WAIT });
      if (!("phases" in plan)) throw new Error("no phases");
      plan.phases.push({ id: "lint", command: "until [ -e begun ]; do sleep 0.02; done; exit 1", shell: true });
      const runId = await deployment.submit(plan);
      await eventually(async () => (await deployment.story(runId)).includes("plan_aborted"));
      await touch(deployment, "go");
      expect((await deployment.ended(runId)).status).toBe("failed");
      const first = await onlyChild(deployment, runId);
      await deployment.engine.rerun(runId, { phases: ["test"], reach: "downstream" }, "ann");
      await eventually(async () => {
        const output = await outputOf(deployment, runId, "ship");
        if (output !== "done in attempt 3") throw new Error(`${output}: ${await deployment.story(runId)}`);
      });
      const children = await childrenOf(deployment, runId);
      expect(children).toHaveLength(2);
      expect(children[0]).toBe(first);
    }),
  );

  test(
    "waits while the run is paused, and goes on after that",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(
        spawnPlan(`echo x >> asked; until [ -e go ]; do sleep 0.02; done; ${spawnOnce()}`),
      );
      await eventually(() => existsSync(join(deployment.dir, "asked")));
      await deployment.engine.pause(runId, "ann");
      await touch(deployment, "go");
      await spawned(deployment, runId);
      await eventually(async () => (await deployment.story(runId)).includes("phase_started dev"));
      expect(await deployment.story(runId)).not.toContain("shard_started dev");
      await deployment.engine.resume(runId, "ann");
      await endedWell(deployment, runId);
    }),
  );
});

describe("what dies in between is made up for", () => {
  test(
    "no word of what was spawned, or of its end, reaches a scheduler: its sweep finds out",
    withDeployment(async (deployment) => {
      loseSpawnJobs(deployment);
      const runId = await deployment.submit(spawnPlan(spawnOnce()));
      await spawned(deployment, runId);
      await eventually(
        async () => {
          await deployment.engine.sweep(runId);
          return (await deployment.store.runs.get(runId)).status !== "running";
        },
        { everyMs: 50 },
      );
      await endedWell(deployment, runId);
    }),
  );

  test(
    "whoever carries a spawner on, twice at once and again after that, makes one child and one more attempt",
    withDeployment(async (deployment) => {
      loseSpawnJobs(deployment);
      const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
      await spawned(deployment, runId);
      const carry = () => Promise.all([1, 2, 3].map(() => deployment.engine.carrySpawner(runId, TEST)));
      await carry();
      await begun(deployment);
      await carry();
      const child = await onlyChild(deployment, runId);
      await touch(deployment, "go");
      await eventually(async () => (await deployment.store.runs.loadPhases(runId)).get(child)?.status === "succeeded");
      await carry();
      await carry();
      await endedWell(deployment, runId);
      expect((await readFile(join(deployment.dir, "begun"), "utf8")).trim()).toBe("x");
    }),
  );

  test(
    "a process that has not looked at the plan since puts what was spawned on its queue, too",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
      const other = new RunEngine(deployment.store);
      await other.plan(runId);
      await begun(deployment);
      const child = await onlyChild(deployment, runId);
      expect(await other.flowPhase(runId, { phase: child, revision: 1 })).toMatchObject({
        phase: child,
        shardCount: 1,
      });
      await touch(deployment, "go");
      await endedWell(deployment, runId);
    }),
  );

  test(
    "a job that starts although its shard waits, as after the death of its worker, goes back to waiting",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
      await begun(deployment);
      const queue = deployment.store.queues.queue(shardQueue("default"));
      const job = await queue.getJob(jobIds.shard(runId, TEST));
      await eventually(async () => (await job?.isDelayed()) === true);
      const before = (await queue.getJob(jobIds.shard(runId, TEST)))?.attemptsStarted ?? 0;
      await job?.promote();
      await eventually(async () => {
        const now = await queue.getJob(jobIds.shard(runId, TEST));
        return (now?.attemptsStarted ?? 0) > before && (await now?.isDelayed()) === true;
      });
      await touch(deployment, "go");
      await endedWell(deployment, runId);
    }),
  );

  test(
    "a job that somebody removes is put back, and waits as before",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(spawnPlan(spawnOnce(), { dev: WAIT }));
      await begun(deployment);
      const queue = deployment.store.queues.queue(shardQueue("default"));
      const id = jobIds.shard(runId, TEST);
      await eventually(async () => (await queue.getJobState(id)) === "delayed");
      await queue.remove(id);
      await deployment.engine.sweep(runId);
      expect(await queue.getJobState(id)).toBe("delayed");
      expect(await deployment.story(runId)).toContain("shard_repaired test[0]");
      await touch(deployment, "go");
      await endedWell(deployment, runId);
    }),
  );
});

/** From now on no scheduler hears that something was spawned, or has ended. */
function loseSpawnJobs({ store }: Deployment): void {
  const { queues } = store;
  const add = queues.addSchedulerJob.bind(queues);
  queues.addSchedulerJob = async (id: string, data: SchedulerJob, delayMs?: number) => {
    if (data.kind !== "spawn") await add(id, data, delayMs);
  };
}

const KEY = "0123456789abcdef0123456789abcdef";

describe("a deployment that signs its plans", () => {
  test(
    "signs them again with what was spawned",
    withDeployment(
      async (deployment) => {
        const run = await deployment.run(spawnPlan(spawnOnce()));
        await endedWell(deployment, run.run_id);
        expect((await deployment.store.runs.loadPlan(run.run_id)).trust).toBe("signed");
      },
      { signingKey: KEY },
    ),
  );

  test(
    "spawns nothing through a scheduler without the key",
    withDeployment(async (deployment) => {
      const plan = spawnPlan(spawnOnce());
      const theirs = openStore(
        duplicateConnection(deployment.store.redis),
        new FileArtifactStore(join(deployment.dir, "artifacts")),
        deployment.store.keys.prefix,
        new PlanSigner(KEY),
      );
      try {
        const { runId } = await new RunEngine(theirs).submit(compile(plan));
        expect((await deployment.ended(runId)).status).toBe("failed");
        expect(await failuresOf(deployment, runId)).toEqual([
          expect.stringContaining("test SPAWN_REFUSED: the plan of"),
        ]);
        expect(await childrenOf(deployment, runId)).toEqual([]);
      } finally {
        await theirs.close();
      }
    }),
  );

  test(
    "does not sign what somebody changed in Redis",
    withDeployment(
      async (deployment) => {
        const { redis, keys } = deployment.store;
        const script = `until [ -e go ]; do sleep 0.02; done; ${spawnOnce()}`;
        const runId = await deployment.submit(spawnPlan(`echo x >> begun; ${script}`));
        await begun(deployment);
        const text = (await redis.get(keys.run(runId).plan)) ?? "";
        await redis.set(keys.run(runId).plan, text.replace("FANFOLD_SPAWN", "EVIL"));
        deployment.engine.forget(runId);
        await touch(deployment, "go");
        expect((await deployment.ended(runId)).status).toBe("failed");
        expect((await failuresOf(deployment, runId))[0]).toContain("SPAWN_REFUSED");
        expect((await deployment.store.runs.loadPlan(runId)).trust).toBe("altered");
      },
      { signingKey: KEY },
    ),
  );
});
