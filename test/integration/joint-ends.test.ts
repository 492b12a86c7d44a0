import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptEnd, RunEngine } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { connectRedis, FileArtifactStore, listServers, openStore } from "@fanfold/store";
import { type Deployment, eventually, type TestRedis } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { goodEnd } from "./good-end.ts";
import { jobOf, writeHandler } from "./phase-handler.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const LAYER = ["a", "b", "c", "d"];

/** A layer of phases at once, after `first` where there is one, and two phases that wait for all of the layer. */
function layered({ hasFirst = false } = {}): PlanInput {
  const handler = "./work.mjs";
  const phases = [
    ...(hasFirst ? [{ id: "first", handler }] : []),
    ...LAYER.map((id) => ({ id, handler, depends_on: hasFirst ? ["first"] : [] })),
    ...["left", "right"].map((id) => ({ id, handler, depends_on: LAYER })),
  ];
  return { plan_id: "layered", version: "1", phases };
}

async function wellEnded(deployment: Deployment, runId: string, phases: number): Promise<void> {
  expect((await deployment.ended(runId, 30_000)).status).toBe("succeeded");
  const lines = await deployment.journal(runId);
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1));
  for (const event of ["shard_succeeded", "phase_succeeded", "phase_started"]) {
    const of = lines.filter((line) => line.event === event).map(({ phase }) => phase);
    expect([event, new Set(of).size, of.length]).toEqual([event, phases, phases]);
  }
  await eventually(async () => (await deployment.store.ledger.listClaimants(runId)).length === 0);
}

/** Starts the attempts of the layer in the name of a worker that is not there. @returns their ends, all good */
async function startLayer(deployment: Deployment, runId: string): Promise<AttemptEnd[]> {
  const ends: AttemptEnd[] = [];
  for (const phase of LAYER) {
    await eventually(async () => (await jobOf(deployment, runId, phase)) !== undefined);
    const ref = { phase, revision: 1, shard: 0 };
    ends.push(await goodEnd(deployment, runId, ref, { output: '"x"', expectedMs: () => 1 }));
  }
  return ends;
}

/** An engine of its own, whose scripts are all sent twice, as if their first answers had been lost. */
async function withRepeatedScripts(
  { store, dir }: Deployment,
  { socketPath }: TestRedis,
  act: (engine: RunEngine) => Promise<unknown>,
): Promise<void> {
  const [redis] = listServers(await connectRedis({ socketPath }));
  if (redis === undefined) throw new Error("there is no server");
  const own = openStore(redis, new FileArtifactStore(join(dir, "artifacts")), store.keys.prefix);
  const evalsha = redis.evalsha.bind(redis);
  Reflect.set(redis, "evalsha", async (...args: Parameters<typeof evalsha>): Promise<unknown> => {
    await evalsha(...args);
    return evalsha(...args);
  });
  try {
    await act(new RunEngine(own));
  } finally {
    await own.close();
  }
}

describe("ends of attempts that come together", () => {
  test(
    "are decided on in one step, and one of their jobs carries what they start",
    withDeployment(
      async (deployment) => {
        await writeHandler(deployment);
        const { store, engine } = deployment;
        const runId = await deployment.submit(layered());
        const ends = await startLayer(deployment, runId);
        const before = (await store.runs.get(runId)).version;
        const replies = await Promise.all(ends.map((end) => engine.endAttempt(end)));
        expect((await store.runs.get(runId)).version).toBe(before + 1);
        expect(replies.map(({ finished }) => finished.verdict)).toEqual(["ok", "ok", "ok", "ok"]);
        const carried = replies.flatMap(({ next = [] }) => next.map(({ ref }) => ref.phase));
        expect(carried).toEqual(["left", "right"]);
        const story = await deployment.story(runId);
        for (const phase of LAYER) {
          expect(story.indexOf(`shard_succeeded ${phase}[0]`)).toBeLessThan(story.indexOf(`phase_succeeded ${phase}`));
          expect(story.indexOf(`phase_succeeded ${phase}`)).toBeLessThan(story.indexOf("phase_started left"));
        }
      },
      { workers: 0 },
    ),
  );

  test(
    "are taken or refused one by one",
    withDeployment(
      async (deployment) => {
        await writeHandler(deployment);
        const { engine } = deployment;
        const runId = await deployment.submit(layered());
        const [first, ...others] = await startLayer(deployment, runId);
        if (first === undefined) throw new Error("no end");
        const late = { ...first, finish: { ...first.finish, fence: 77 } };
        const replies = await Promise.all([late, ...others].map((end) => engine.endAttempt(end)));
        expect(replies.map(({ finished }) => finished.verdict)).toEqual(["refused", "ok", "ok", "ok"]);
        const records = await deployment.store.runs.loadPhases(runId);
        expect(LAYER.map((phase) => records.get(phase)?.status)).toEqual([
          "running",
          "succeeded",
          "succeeded",
          "succeeded",
        ]);
        expect(await deployment.story(runId)).not.toContain("phase_started left");
        const { next = [] } = await engine.endAttempt(first);
        expect(next.map(({ ref }) => ref.phase)).toEqual(["left", "right"]);
      },
      { workers: 0 },
    ),
  );

  test(
    "have their effect once when everything is sent twice",
    withDeployment(
      async (deployment, redis) => {
        await writeHandler(deployment);
        const runId = await deployment.submit(layered());
        const ends = await startLayer(deployment, runId);
        await withRepeatedScripts(deployment, redis, async (engine) => {
          const replies = await Promise.all(ends.map((end) => engine.endAttempt(end)));
          const next = replies.flatMap(({ next: carried = [] }) => carried);
          expect(next.map(({ record }) => [record.status, record.attempt])).toEqual([
            ["running", 1],
            ["running", 1],
          ]);
        });
        const lines = await deployment.journal(runId);
        expect(lines.filter(({ event }) => event === "shard_started")).toHaveLength(LAYER.length + 2);
        expect(lines.filter(({ event }) => event === "phase_succeeded")).toHaveLength(LAYER.length);
      },
      { workers: 0 },
    ),
  );

  test(
    "may be cut off anywhere: whoever takes the jobs over finds all that was carried",
    { timeout: 60_000 },
    withDeployment(
      async (deployment, redis) => {
        await writeHandler(deployment);
        const runs: string[] = [];
        for (let commands = 2, whole = Number.POSITIVE_INFINITY; commands < whole; commands += 1) {
          const runId = await deployment.submit(layered());
          runs.push(runId);
          const ends = await startLayer(deployment, runId);
          const act = (engine: RunEngine): Promise<unknown> => Promise.all(ends.map((end) => engine.endAttempt(end)));
          const limit = commands === 2 ? Number.POSITIVE_INFINITY : commands;
          const sent = await cutOff(deployment, redis, limit, act);
          if (commands === 2) whole = sent;
        }
        await deployment.addWorker();
        for (const runId of runs) await wellEnded(deployment, runId, LAYER.length + 2);
        const [first = ""] = runs;
        expect(await deployment.story(first)).toContain("shard_lost left[0]");
        expect(await deployment.story(first)).toContain("shard_lost right[0]");
      },
      { workers: 0 },
    ),
  );
});

describe("a job that goes on with several phases", () => {
  test(
    "gives each of them a job of its own when somebody removes it",
    withDeployment(
      async (deployment) => {
        await writeHandler(deployment);
        const { store, engine } = deployment;
        const runId = await deployment.submit(layered());
        const ends = await startLayer(deployment, runId);
        await Promise.all(ends.map((end) => engine.endAttempt(end)));
        await engine.sweep(runId);
        expect(await jobOf(deployment, runId, "left")).toBeUndefined();
        for (const phase of LAYER) await (await jobOf(deployment, runId, phase))?.remove();
        await engine.sweep(runId);
        for (const phase of ["left", "right"]) expect(await jobOf(deployment, runId, phase)).toBeDefined();
        expect(await store.ledger.listClaimants(runId)).toEqual([]);
      },
      { workers: 0 },
    ),
  );

  test(
    "does so once their handler is known to be quick",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      await eventually(
        async () => {
          const { run_id } = await deployment.run(layered({ hasFirst: true }));
          await wellEnded(deployment, run_id, LAYER.length + 3);
          const jobs = await Promise.all(LAYER.map((phase) => jobOf(deployment, run_id, phase)));
          expect(jobs.filter((job) => job === undefined).length).toBeGreaterThan(1);
        },
        { timeoutMs: 10_000 },
      );
    }),
  );

  test(
    "leaves those behind a slow one to other jobs, and waits with nothing that is done",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      for (let i = 0; i < 4; i += 1) await deployment.run(layered({ hasFirst: true }));
      await writeFile(join(deployment.dir, "hold-b"), "");
      const runId = await deployment.submit(layered({ hasFirst: true }));
      await eventually(async () => {
        const story = await deployment.story(runId);
        return ["a", "c", "d"].every((phase) => story.includes(`phase_succeeded ${phase}`));
      });
      expect((await deployment.store.runs.loadPhases(runId)).get("b")?.status).toBe("running");
      await deployment.engine.sweep(runId);
      await rm(join(deployment.dir, "hold-b"));
      await wellEnded(deployment, runId, LAYER.length + 3);
      expect(await deployment.story(runId)).not.toContain("shard_lost");
    }),
  );

  test(
    "leaves one that fails to a job of its own, and the others go on",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      for (let i = 0; i < 4; i += 1) await deployment.run(layered({ hasFirst: true }));
      await writeFile(join(deployment.dir, "break-b"), "");
      const runId = await deployment.submit(layered({ hasFirst: true }));
      expect((await deployment.ended(runId)).status).toBe("failed");
      await eventually(async () => (await (await jobOf(deployment, runId, "b"))?.isFailed()) === true);
      const story = await deployment.story(runId);
      expect(story).not.toContain("shard_lost");
      await rm(join(deployment.dir, "break-b"));
      await (await jobOf(deployment, runId, "b"))?.retry("failed");
      await eventually(async () => (await deployment.store.runs.get(runId)).status === "succeeded");
      expect(await deployment.story(runId)).not.toContain("shard_lost");
    }),
  );

  test(
    "gives all of them back when its worker stops",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      for (let i = 0; i < 4; i += 1) await deployment.run(layered({ hasFirst: true }));
      for (const phase of LAYER) await writeFile(join(deployment.dir, `hold-${phase}`), "");
      const runId = await deployment.submit(layered({ hasFirst: true }));
      await eventually(async () => (await deployment.story(runId)).includes("shard_started a[0]"));
      await deployment.worker(0).stop({ drainMs: 1 });
      for (const phase of LAYER) await rm(join(deployment.dir, `hold-${phase}`));
      await deployment.addWorker();
      await wellEnded(deployment, runId, LAYER.length + 3);
      expect(await deployment.story(runId)).not.toContain("shard_lost");
    }),
  );
});
