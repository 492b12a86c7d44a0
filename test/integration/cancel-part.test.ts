import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Runs until the file `go` is there; says when it is told to stop, in Unix ns. */
const WAIT = `trap 'date +%s%N >> told; exit 143' TERM
echo $FANFOLD_SHARD_INDEX >> begun; until [ -e go ]; do sleep 0.01; done; cat $FANFOLD_INPUT`;

const PLAN: PlanInput = {
  plan_id: "parts",
  version: "1",
  globals: { max_concurrency: 2, kill_grace_sec: 1 },
  phases: [
    {
      id: "fan",
      command: WAIT,
      shell: true,
      shard: { strategy: "chunk", over: [0, 1, 2, 3], chunk_size: 1 },
      merge: { strategy: "concat" },
    },
    { id: "next", command: "true", depends_on: ["fan"] },
    { id: "after", command: "true", depends_on: [{ phase: "fan", when: "always" }] },
  ],
};

async function textOf(deployment: Deployment, file: string): Promise<string> {
  return readFile(join(deployment.dir, file), "utf8").catch(() => "");
}

/** Submits the plan and waits until two shards run. */
async function begun(deployment: Deployment, plan: PlanInput = PLAN): Promise<string> {
  const runId = await deployment.submit(plan);
  await eventually(async () => (await textOf(deployment, "begun")).split("\n").length === 3);
  return runId;
}

async function statuses({ store }: Deployment, runId: string): Promise<Record<string, string>> {
  return Object.fromEntries([...(await store.runs.loadPhases(runId))].map(([id, { status }]) => [id, status]));
}

test(
  "a cancelled phase is killed at once and its dependents are skipped; a retry carries it on",
  withDeployment(async (deployment) => {
    const { engine, store } = deployment;
    const runId = await begun(deployment);
    const askedMs = Date.now();
    await engine.cancelPart(runId, { phase: "fan" }, "test");
    await engine.cancelPart(runId, { phase: "fan" }, "test");
    expect((await deployment.ended(runId, 5_000)).status).toBe("failed");
    const told = (await textOf(deployment, "told")).trim().split("\n");
    expect(told).toHaveLength(2);
    for (const ns of told) expect(Number(ns) / 1e6 - askedMs).toBeLessThan(1_000);
    expect(await statuses(deployment, runId)).toEqual({ fan: "cancelled", next: "skipped", after: "succeeded" });
    const story = await deployment.story(runId);
    expect(story.match(/shard_cancelled fan/g)).toHaveLength(2);
    expect(story).not.toContain("shard_started fan[2]");
    expect(await store.ledger.countInFlight(runId)).toBe(0);
    const journal = await deployment.journal(runId);
    for (const { data, message } of journal.filter(({ event }) => event === "shard_cancelled")) {
      expect([data.reason, data.actor]).toEqual(["cancelled by hand", "test"]);
      expect(message).toMatch(/^fan\[\d\] cancelled by test$/);
    }
    const cancelled = journal.find(({ event }) => event === "phase_cancelled");
    expect(cancelled).toMatchObject({ phase: "fan", data: { cause: "cancel_requested", actor: "test" } });
    await engine.cancelPart(runId, { phase: "fan" }, "test");
    await expect(engine.cancelPart(runId, { phase: "next" }, "test")).rejects.toMatchObject({ code: "RUN_OVER" });

    await writeFile(join(deployment.dir, "go"), "");
    expect(await engine.retry(runId, {}, "test")).toEqual(["fan"]);
    expect((await deployment.ended(runId)).status).toBe("succeeded");
    const phases = await store.runs.loadPhases(runId);
    expect(phases.get("fan")?.artifacts?.[0]?.inline).toBe("0\n1\n2\n3\n");
    expect(phases.get("next")?.status).toBe("succeeded");
  }),
);

test(
  "a cancelled shard is killed, its siblings go on, and a retry of it carries the run on",
  withDeployment(async (deployment) => {
    const { engine } = deployment;
    const runId = await begun(deployment);
    await engine.cancelPart(runId, { phase: "fan", shard: 1 }, "ann");
    await engine.cancelPart(runId, { phase: "fan", shard: 3 }, "bob");
    await eventually(async () => (await deployment.story(runId)).includes("shard_cancelled fan[1]"));
    await writeFile(join(deployment.dir, "go"), "");
    expect((await deployment.ended(runId)).status).toBe("failed");
    const story = await deployment.story(runId);
    expect(story).toContain("shard_cancelled fan[3]");
    expect(story).not.toContain("shard_started fan[3]");
    expect(story.match(/shard_succeeded fan/g)).toHaveLength(2);
    const cancelled = (await deployment.journal(runId)).filter(({ event }) => event === "shard_cancelled");
    expect(cancelled.map(({ shard, data }) => [shard, data.reason, data.actor])).toEqual([
      [1, "cancelled by hand", "ann"],
      [3, "cancelled by hand", "bob"],
    ]);
    expect(await statuses(deployment, runId)).toEqual({ fan: "cancelled", next: "skipped", after: "succeeded" });
    await expect(engine.cancelPart(runId, { phase: "none" }, "test")).rejects.toMatchObject({ code: "UNKNOWN_PHASE" });

    await engine.retry(runId, { phase: "fan" }, "test");
    expect((await deployment.ended(runId)).status).toBe("succeeded");
    expect((await deployment.story(runId)).match(/shard_succeeded fan/g)).toHaveLength(4);
  }),
);

test(
  "a shard that was cancelled while its phase runs can be retried at once",
  withDeployment(async (deployment) => {
    const { engine } = deployment;
    const runId = await begun(deployment);
    await engine.cancelPart(runId, { phase: "fan", shard: 0 }, "test");
    await eventually(async () => (await deployment.story(runId)).includes("shard_cancelled fan[0]"));
    expect(await engine.retry(runId, { phase: "fan", shard: 0 }, "test")).toEqual(["fan[0]"]);
    await writeFile(join(deployment.dir, "go"), "");
    expect((await deployment.ended(runId)).status).toBe("succeeded");
    await expect(engine.cancelPart(runId, { phase: "fan", shard: 0 }, "test")).rejects.toMatchObject({
      code: "RUN_OVER",
    });
  }),
);

test(
  "a pending phase is cancelled at once, and a tolerated one does not fail the run",
  withDeployment(async (deployment) => {
    const { engine } = deployment;
    const [fan] = "phases" in PLAN ? PLAN.phases : [];
    if (fan === undefined) throw new Error("no phase");
    const runId = await begun(deployment, {
      ...PLAN,
      phases: [
        fan,
        { id: "extra", command: "true", depends_on: ["fan"], critical: false, on_failure: "continue" },
        { id: "last", command: "true", depends_on: ["extra"] },
      ],
    });
    await engine.cancelPart(runId, { phase: "extra" }, "test");
    expect(await statuses(deployment, runId)).toEqual({ fan: "running", extra: "cancelled", last: "skipped" });
    await expect(engine.cancelPart(runId, { phase: "fan", shard: 9 }, "test")).rejects.toMatchObject({
      code: "UNKNOWN_PHASE",
    });
    await writeFile(join(deployment.dir, "go"), "");
    expect(await deployment.ended(runId)).toMatchObject({ status: "succeeded", tolerated_failures: 1 });
    await expect(engine.cancelPart(runId, { phase: "fan" }, "test")).rejects.toMatchObject({ code: "RUN_OVER" });
    expect(await engine.retry(runId, { phase: "extra" }, "test")).toEqual(["extra"]);
    await deployment.ended(runId);
    expect(await statuses(deployment, runId)).toEqual({ fan: "succeeded", extra: "succeeded", last: "succeeded" });
  }),
);

test(
  "a phase with a lock that is cancelled by hand is not woken by what its lock does, and a retry carries it on",
  withDeployment(async (deployment) => {
    const { engine } = deployment;
    const [fan, ...others] = "phases" in PLAN ? PLAN.phases : [];
    if (fan === undefined) throw new Error("no phase");
    const runId = await begun(deployment, { ...PLAN, phases: [{ ...fan, lock: "mine" }, ...others] });
    const ref = { phase: "fan", revision: 1 };
    await engine.cancelPart(runId, { phase: "fan", shard: 3 }, "test");
    await engine.cancelPart(runId, { phase: "fan", shard: 0 }, "test");
    await eventually(async () => (await deployment.story(runId)).includes("shard_cancelled fan[0]"));
    await engine.open(runId, ref);
    await engine.cancelPart(runId, { phase: "fan" }, "test");
    await engine.open(runId, ref);
    expect((await deployment.ended(runId)).status).toBe("failed");
    expect((await deployment.story(runId)).match(/shard_started fan\[0\]/g)).toHaveLength(1);
    await writeFile(join(deployment.dir, "go"), "");
    await engine.retry(runId, {}, "test");
    expect((await deployment.ended(runId)).status).toBe("succeeded");
  }),
);
