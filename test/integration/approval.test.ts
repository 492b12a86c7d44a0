import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { explainWaits } from "@fanfold/core";
import { gatherWhyFacts, listArtifacts, RunEngine, systemClock } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** `build`, then somebody is asked, then `ship`, which copies the answer. */
function plan(review: Partial<Phase> = {}): PlanInput {
  return {
    plan_id: "release",
    version: "1",
    phases: [
      { id: "build", command: "echo", args: ["built"] },
      { id: "review", approval: "Ship it?", depends_on: ["build"], provides: ["answer"], ...review },
      {
        id: "ship",
        command: 'cp "$FANFOLD_ARTIFACTS/answer" shipped && chmod u+w shipped',
        shell: true,
        consumes: ["answer"],
        depends_on: ["review"],
      },
    ],
  };
}

async function asked(deployment: Deployment, review?: Partial<Phase>): Promise<string> {
  const runId = await deployment.submit(plan(review));
  await waits(deployment, runId);
  return runId;
}

async function waits({ store }: Deployment, runId: string): Promise<void> {
  await eventually(async () => (await store.runs.get(runId)).waiting_approvals === 1);
}

/** Jobs that end a wait. */
async function timers({ store }: Deployment) {
  const jobs = await store.queues.queue("scheduler").getDelayed();
  return jobs.filter(({ id }) => id?.startsWith("approval-timeout."));
}

const yes = { approved: true, comment: "looks good", actor: "ana" };
const no = { approved: false, comment: "a typo", actor: "bob" };

describe("an approval", () => {
  test(
    "is waited for without a job, and lets the run go on with the answer as an artifact",
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const runId = await asked(deployment);
      expect(await store.ledger.findPhase(runId, "review")).toBeUndefined();
      expect(explainWaits(await gatherWhyFacts(engine, runId, systemClock), { phase: "review" })).toMatchObject([
        {
          code: "waits_for_approval",
          why: `waits for an approval (Ship it?); to give it: fanfold approve ${runId} review`,
        },
      ]);
      // neither finds anything to repair
      await engine.sweep(runId);
      await engine.sweep(runId);
      expect(await engine.approve(runId, "review", yes)).toEqual({
        run_id: runId,
        phase: "review",
        revision: 1,
        approved: true,
      });
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const answer = JSON.parse(await readFile(join(deployment.dir, "shipped"), "utf8"));
      expect(answer).toMatchObject({ approved: true, comment: "looks good", by: "ana" });
      expect(await deployment.story(runId)).toMatch(
        /phase_succeeded build, phase_started review, approval_requested review, approval_given review, artifact_persisted review, phase_succeeded review, phase_started ship/,
      );
      const { artifacts } = await listArtifacts(engine, runId, { limit: 10, type: "file" });
      expect(artifacts.map(({ phase, name, format }) => `${phase}/${name} ${format}`)).toContain("review/answer json");
    }),
  );

  test(
    "counts once: of many answers at the same time one is taken, and the others are refused",
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const runId = await asked(deployment);
      const elsewhere = new RunEngine(store);
      const answers = [yes, no, yes, no].map((answer, i) =>
        (i % 2 === 0 ? engine : elsewhere).approve(runId, "review", answer),
      );
      const settled = await Promise.allSettled(answers);
      expect(settled.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
      for (const one of settled) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "NOT_ASKED" });
      await deployment.ended(runId);
      const given = (await deployment.journal(runId)).filter(({ event }) => event === "approval_given");
      expect(given).toHaveLength(1);
    }),
  );

  test(
    "may be cut off anywhere: it has not been given, or what waits for it goes on",
    { timeout: 30_000 },
    withDeployment(async (deployment, redis) => {
      const { engine, store } = deployment;
      const first = await asked(deployment);
      const whole = await cutOff(deployment, redis, Number.POSITIVE_INFINITY, (cut) =>
        cut.approve(first, "review", yes),
      );
      let given = 0;
      for (let commands = 3; commands < whole; commands += Math.ceil(whole / 5)) {
        const runId = await asked(deployment);
        await cutOff(deployment, redis, commands, (cut) => cut.approve(runId, "review", yes));
        await engine.sweep(runId);
        const isGiven = (await store.runs.get(runId)).waiting_approvals === 0;
        if (isGiven) given += 1;
        else await engine.approve(runId, "review", yes);
        expect((await deployment.ended(runId)).status).toBe("succeeded");
        const events = (await deployment.journal(runId)).filter(({ event }) => event === "approval_given");
        expect(events).toHaveLength(1);
      }
      expect(given).toBeGreaterThan(0);
    }),
  );

  test(
    "that is rejected fails its phase; a retry asks again",
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const runId = await asked(deployment);
      await engine.approve(runId, "review", no);
      expect((await deployment.ended(runId)).status).toBe("failed");
      await expect(engine.approve(runId, "review", yes)).rejects.toThrow(
        "phase review is answered already: rejected by bob: a typo",
      );
      expect(await engine.retry(runId, {}, "test")).toEqual(["review"]);
      await waits(deployment, runId);
      await engine.approve(runId, "review", yes);
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      await expect(engine.approve(runId, "review", no)).rejects.toThrow("phase review was approved already by ana");
      expect((await store.runs.get(runId)).waiting_approvals).toBe(0);
    }),
  );

  test(
    "may be given in a paused run, which then starts nothing",
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const runId = await asked(deployment);
      await engine.pause(runId, "test");
      await engine.approve(runId, "review", yes);
      const ship = await eventually(async () => {
        const counts = await store.ledger.findPhase(runId, "ship");
        if (counts === undefined) throw new Error("ship is not open");
        return counts;
      });
      expect(ship.in_flight).toBe(0);
      await engine.resume(runId, "test");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
    }),
  );

  test.each(["run", "phase"])("is over when somebody cancels the %s", (what) =>
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const runId = await asked(deployment);
      if (what === "run") await engine.cancel(runId, "test");
      else await engine.cancelPart(runId, { phase: "review" }, "test");
      await deployment.ended(runId);
      expect((await store.runs.loadPhases(runId)).get("review")?.status).toBe("cancelled");
      await expect(engine.approve(runId, "review", yes)).rejects.toMatchObject({ code: "NOT_ASKED" });
      await engine.remove(runId, { force: false, actor: "test" });
    })(),
  );

  test(
    "is refused where none is asked for",
    withDeployment(async (deployment) => {
      const { engine } = deployment;
      const runId = await asked(deployment);
      await expect(engine.approve(runId, "build", yes)).rejects.toMatchObject({ code: "NOT_AN_APPROVAL" });
      await expect(engine.approve(runId, "nobody", yes)).rejects.toMatchObject({ code: "UNKNOWN_PHASE" });
    }),
  );

  test(
    "is asked for anew when what it is about has changed, and its earlier answer stays to be read",
    withDeployment(async (deployment) => {
      const { engine } = deployment;
      const runId = await asked(deployment);
      await engine.approve(runId, "review", yes);
      await deployment.ended(runId);
      await engine.rerun(runId, { phases: ["review"], reach: "downstream" }, "test");
      await waits(deployment, runId);
      await engine.approve(runId, "review", { ...yes, actor: "cleo" });
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const { artifacts } = await listArtifacts(engine, runId, { limit: 10, name: "answer" });
      expect(artifacts.map(({ revision }) => revision)).toEqual([1, 2]);
      expect(JSON.parse(await readFile(join(deployment.dir, "shipped"), "utf8"))).toMatchObject({ by: "cleo" });
    }),
  );
});

describe("the wait for an approval", () => {
  test(
    "ends with its time, and the phase fails",
    withDeployment(async (deployment) => {
      const run = await deployment.run(plan({ timeout_sec: 0.05 }));
      expect(run.status).toBe("failed");
      expect((await deployment.store.runs.loadPhases(run.run_id)).get("review")?.cause).toEqual({
        code: "approval_timeout",
        message: "nobody answered within 0.05 s",
      });
    }),
  );

  test(
    "leaves nothing behind when its run is removed",
    withDeployment(async (deployment) => {
      const runId = await asked(deployment, { timeout_sec: 3_600 });
      // the question is on record a moment before the end of its wait is on the queue
      await eventually(async () => (await timers(deployment)).length === 1);
      await deployment.engine.remove(runId, { force: true, actor: "test" });
      expect(await timers(deployment)).toEqual([]);
    }),
  );

  test(
    "ends by the sweep where its job is gone",
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const runId = await asked(deployment, { timeout_sec: 0.3 });
      await eventually(async () => (await timers(deployment)).length === 1);
      const [timer] = await timers(deployment);
      await timer?.remove();
      await eventually(async () => {
        await engine.sweep(runId);
        return (await store.runs.get(runId)).status === "failed";
      });
    }),
  );
});
