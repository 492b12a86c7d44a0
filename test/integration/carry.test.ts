import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptEnd, RunEngine } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { goodEnd } from "./good-end.ts";
import { jobOf, writeHandler } from "./phase-handler.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** Phases `p0` … in a row. */
function chain(length: number, more: Partial<Phase> = {}): PlanInput {
  const phases = Array.from({ length }, (_, i) => ({
    id: `p${i}`,
    handler: "./work.mjs",
    depends_on: i === 0 ? [] : [`p${i - 1}`],
    ...more,
  }));
  return { plan_id: "chain", version: "1", phases };
}

async function waitUntilStarted(deployment: Deployment, runId: string, phase: string): Promise<void> {
  await eventually(async () => (await deployment.story(runId)).includes(`shard_started ${phase}[0]`));
}

/** The run succeeded, each phase once; nothing is claimed, and the journal has no gap. */
async function wellEnded(deployment: Deployment, runId: string, phases: number): Promise<void> {
  expect((await deployment.ended(runId, 30_000)).status).toBe("succeeded");
  const lines = await deployment.journal(runId);
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1));
  const accepted = lines.filter(({ event }) => event === "shard_succeeded").map(({ phase }) => phase);
  expect(new Set(accepted).size).toBe(phases);
  expect(accepted).toHaveLength(phases);
  await eventually(async () => (await deployment.store.ledger.listClaimants(runId)).length === 0);
}

describe("the job of a phase", () => {
  test(
    "goes on with the phases that follow",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      const { run_id } = await deployment.run(chain(8));
      await wellEnded(deployment, run_id, 8);
      const jobs = await Promise.all(
        ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"].map((phase) => jobOf(deployment, run_id, phase)),
      );
      expect(jobs[0]).toBeDefined();
      // on a busy machine a job may have had its time before the end
      expect(jobs.filter((job) => job === undefined).length).toBeGreaterThan(0);
      const record = (await deployment.store.runs.loadPhases(run_id)).get("p7");
      expect(record?.artifacts?.[0]?.inline).toBe("p7");
    }),
  );

  test(
    "leaves a phase that fails to a job of its own, which is retried by hand",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      await writeFile(join(deployment.dir, "break-p2"), "");
      const runId = await deployment.submit(chain(5));
      expect((await deployment.ended(runId)).status).toBe("failed");
      await eventually(async () => (await (await jobOf(deployment, runId, "p2"))?.isFailed()) === true);
      await rm(join(deployment.dir, "break-p2"));
      const job = await jobOf(deployment, runId, "p2");
      expect(job?.failedReason).toBe("broken");
      await job?.retry("failed");
      await eventually(async () => (await deployment.store.runs.get(runId)).status === "succeeded");
      await wellEnded(deployment, runId, 5);
    }),
  );

  test(
    "leaves a phase that is tried again to a job of its own",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      await writeFile(join(deployment.dir, "break-p1"), "");
      const runId = await deployment.submit(chain(3, { retries: 9, retry_delay_sec: 0.1 }));
      await eventually(async () => (await deployment.story(runId)).includes("shard_retry p1[0]"));
      await rm(join(deployment.dir, "break-p1"));
      await wellEnded(deployment, runId, 3);
    }),
  );

  test(
    "keeps what it carries while a sweep looks, and while the run is paused",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      await writeFile(join(deployment.dir, "hold-p1"), "");
      const runId = await deployment.submit(chain(3));
      await waitUntilStarted(deployment, runId, "p1");
      await deployment.engine.sweep(runId);
      await deployment.engine.pause(runId, "test");
      await deployment.engine.sweep(runId);
      expect(await jobOf(deployment, runId, "p1")).toBeUndefined();
      await rm(join(deployment.dir, "hold-p1"));
      await eventually(async () => (await deployment.story(runId)).includes("phase_succeeded p1"));
      expect(await deployment.story(runId)).not.toContain("shard_started p2");
      await deployment.engine.resume(runId, "test");
      await wellEnded(deployment, runId, 3);
      expect(await deployment.story(runId)).not.toContain("shard_lost");
    }),
  );

  test(
    "ends what it carries when that is cancelled, or its worker stops",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      await writeFile(join(deployment.dir, "hold-p1"), "");
      const cancelled = await deployment.submit(chain(3));
      await waitUntilStarted(deployment, cancelled, "p1");
      await deployment.engine.cancelPart(cancelled, { phase: "p1" }, "test");
      expect((await deployment.ended(cancelled)).status).toBe("failed");
      expect(await deployment.story(cancelled)).toContain("shard_cancelled p1[0]");

      const runId = await deployment.submit(chain(3));
      await waitUntilStarted(deployment, runId, "p1");
      await deployment.worker(0).stop({ drainMs: 1 });
      expect(await deployment.story(runId)).toContain("shard_given_back p1[0]");
      await rm(join(deployment.dir, "hold-p1"));
      await deployment.addWorker();
      await wellEnded(deployment, runId, 3);
    }),
  );

  test(
    "carries one of several phases while the caps let no other start",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      const handler = "./work.mjs";
      const phases = [
        { id: "first", handler },
        ...["left", "right", "middle"].map((id) => ({ id, handler, depends_on: ["first"] })),
        { id: "last", handler, depends_on: ["left", "right", "middle"] },
      ];
      const plan: PlanInput = { plan_id: "star", version: "1", globals: { max_concurrency: 1 }, phases };
      const { run_id } = await deployment.run(plan);
      await wellEnded(deployment, run_id, 5);
      expect(await deployment.story(run_id)).not.toContain("shard_lost");
      expect(await jobOf(deployment, run_id, "left")).toBeUndefined();
    }),
  );

  test(
    "carries nothing where the pool has a limit of its own",
    withDeployment(async (deployment) => {
      await writeHandler(deployment);
      await deployment.store.pools.limit("default", { rate: { max: 1_000, durationMs: 1_000 } });
      const { run_id } = await deployment.run(chain(3));
      await wellEnded(deployment, run_id, 3);
      expect(await jobOf(deployment, run_id, "p2")).toBeDefined();
    }),
  );

  test(
    "may be cut off anywhere: whoever takes it over finds what it carried",
    { timeout: 60_000 },
    withDeployment(
      async (deployment, redis) => {
        await writeHandler(deployment);
        const { store } = deployment;
        const ref = { phase: "p0", revision: 1, shard: 0 };
        const endOf = async (runId: string): Promise<AttemptEnd> => {
          await eventually(async () => (await jobOf(deployment, runId, "p0")) !== undefined);
          return goodEnd(deployment, runId, ref, { output: '"p0"' });
        };
        const runs: string[] = [];
        for (let commands = 2, whole = Number.POSITIVE_INFINITY; commands < whole; commands += 1) {
          const runId = await deployment.submit(chain(3));
          runs.push(runId);
          const end = await endOf(runId);
          const act = (engine: RunEngine): Promise<unknown> => engine.endAttempt(end);
          if (commands === 2) whole = await cutOff(deployment, redis, Number.POSITIVE_INFINITY, act);
          else await cutOff(deployment, redis, commands, act);
        }
        await deployment.addWorker();
        for (const runId of runs) await wellEnded(deployment, runId, 3);
        const [first = ""] = runs;
        expect(await deployment.story(first)).toContain("shard_lost p1[0]");
        const p1 = await store.ledger.findShard(first, { ...ref, phase: "p1" });
        expect(p1).toMatchObject({ status: "succeeded", attempt: 2, worker: "worker-1" });
        expect(p1?.carrier).toBeUndefined();
      },
      { workers: 0 },
    ),
  );

  test(
    "may be one of many that move the same run on, each phase once",
    { timeout: 60_000 },
    withDeployment(async (deployment, redis) => {
      await writeHandler(deployment);
      const layers = 6;
      const wide = 5;
      const layer = (n: number): string[] => Array.from({ length: wide }, (_, i) => `p${n}-${i}`);
      const phases = Array.from({ length: layers }, (_, n) =>
        layer(n).map((id) => ({ id, handler: "./work.mjs", depends_on: n === 0 ? [] : layer(n - 1) })),
      ).flat();
      for (const name of ["other-1", "other-2"]) await deployment.addSeparateWorker(redis, { name, concurrency: 3 });
      const { run_id } = await deployment.run({ plan_id: "wide", version: "1", phases }, 30_000);
      await wellEnded(deployment, run_id, layers * wide);
      expect(await deployment.story(run_id)).not.toContain("shard_lost");
    }),
  );
});
