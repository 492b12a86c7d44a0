import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { compile, type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** context → translate (a shard a line) → publish, and glossary beside them. Each notes that it ran, and reads a file. */
const PLAN: PlanInput = {
  plan_id: "novel",
  version: "1",
  phases: [
    { id: "context", command: "echo context >> ran; cat context.txt", shell: true },
    { id: "glossary", command: "echo glossary >> ran; cat glossary.txt", shell: true },
    {
      id: "translate",
      depends_on: ["context", { phase: "glossary", kind: "soft" }],
      consumes: ["glossary"],
      shard: { strategy: "chunk", over: "context", chunk_size: 1 },
      merge: { strategy: "records" },
      command:
        "echo translate >> ran; test ! -e broken && cat $FANFOLD_ARTIFACTS/glossary > /dev/null && cat $FANFOLD_INPUT",
      shell: true,
      on_failure: "skip_dependents",
    },
    {
      id: "publish",
      depends_on: ["translate"],
      consumes: ["translate"],
      command: "echo publish >> ran; cat $FANFOLD_ARTIFACTS/translate",
      shell: true,
    },
  ],
};

async function write(deployment: Deployment, name: string, text: string): Promise<void> {
  await writeFile(join(deployment.dir, name), text);
}

/** What ran since the last look, sorted, with how often. */
async function ran(deployment: Deployment): Promise<string> {
  const file = join(deployment.dir, "ran");
  const names = (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  await writeFile(file, "");
  const counts = new Map<string, number>();
  for (const name of names.sort()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name}×${count}`)).join(" ");
}

async function start(deployment: Deployment): Promise<string> {
  await write(deployment, "context.txt", '{"l":1}\n{"l":2}\n');
  await write(deployment, "glossary.txt", "tea");
  const { run_id, status } = await deployment.run(PLAN);
  expect(status).toBe("succeeded");
  expect(await ran(deployment)).toBe("context glossary publish translate×2");
  return run_id;
}

async function rerun(
  deployment: Deployment,
  runId: string,
  order: Partial<Parameters<Deployment["engine"]["rerun"]>[1]>,
): Promise<string[]> {
  const { steps } = await deployment.engine.rerun(runId, { phases: [], reach: "update", ...order }, "test");
  await deployment.ended(runId);
  return steps.map(({ phase, kind, why }) => `${phase} ${kind}: ${why}`);
}

async function standing(deployment: Deployment, runId: string): Promise<string> {
  const phases = await deployment.store.runs.loadPhases(runId);
  return [...phases]
    .map(([id, { status, revision, stale }]) => {
      const cause = stale === undefined ? "" : ` stale(${stale.phase} ${stale.used}→${stale.latest})`;
      return `${id} ${status} r${revision}${cause}`;
    })
    .sort()
    .join(", ");
}

async function events(deployment: Deployment, runId: string, ...names: string[]): Promise<string[]> {
  return (await deployment.journal(runId)).filter(({ event }) => names.includes(event)).map(({ message }) => message);
}

describe("a rerun", () => {
  test(
    "of a phase alone makes what was made from it stale, once and with the cause, and gates nothing",
    withDeployment(async (deployment) => {
      const runId = await start(deployment);
      await write(deployment, "context.txt", '{"l":1}\n{"l":3}\n');
      expect(await rerun(deployment, runId, { phases: ["context"], reach: "phase" })).toEqual([
        "context run: asked for",
      ]);
      expect(await ran(deployment)).toBe("context");
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r2, glossary succeeded r1, publish succeeded r1 stale(context 1→2), translate succeeded r1 stale(context 1→2)",
      );
      expect(await events(deployment, runId, "phase_invalidated")).toEqual([
        "translate is stale: context r1 → r2",
        "publish is stale: context r1 → r2",
      ]);
      expect((await deployment.store.runs.get(runId)).status).toBe("succeeded");
    }),
  );

  test(
    "brings a run up to date, and finds nothing more to do",
    withDeployment(async (deployment) => {
      const runId = await start(deployment);
      await write(deployment, "context.txt", '{"l":1}\n{"l":3}\n{"l":4}\n');
      await rerun(deployment, runId, { phases: ["context"], reach: "only" });
      await ran(deployment);
      expect(await rerun(deployment, runId, {})).toEqual([
        "translate if_stale: it is stale: context r1 → r2",
        "publish if_stale: it is stale: context r1 → r2",
      ]);
      expect(await ran(deployment)).toBe("publish translate×3");
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r2, glossary succeeded r1, publish succeeded r2, translate succeeded r2",
      );
      const { length } = await deployment.journal(runId);
      expect(await rerun(deployment, runId, {})).toEqual([]);
      expect(await deployment.journal(runId)).toHaveLength(length);
      const history = await deployment.store.runs.loadRevisions(runId);
      expect([...history.keys()].sort()).toEqual(["context.r1", "publish.r1", "translate.r1"]);
      expect(history.get("translate.r1")?.dependencies?.map(({ phase, revision }) => `${phase} r${revision}`)).toEqual([
        "context r1",
        "glossary r1",
      ]);
    }),
  );

  test(
    "stops where an output is the same as before",
    withDeployment(async (deployment) => {
      const runId = await start(deployment);
      expect(await rerun(deployment, runId, { phases: ["context"], reach: "stale" })).toEqual([
        "context run: asked for",
        "translate if_stale: it depends on context",
        "publish if_stale: it depends on translate",
      ]);
      expect(await ran(deployment)).toBe("context");
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r2, glossary succeeded r1, publish succeeded r1, translate succeeded r1",
      );
      expect(await events(deployment, runId, "phase_invalidated")).toEqual([]);
      // the glossary is read by translate, whose output does not depend on it
      await write(deployment, "glossary.txt", "coffee");
      await rerun(deployment, runId, { phases: ["glossary"], reach: "stale" });
      expect(await ran(deployment)).toBe("glossary translate×2");
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r2, glossary succeeded r2, publish succeeded r1, translate succeeded r2",
      );
    }),
  );

  test(
    "makes stale outputs fresh again when an input is what it was",
    withDeployment(async (deployment) => {
      const runId = await start(deployment);
      await write(deployment, "context.txt", "{}\n");
      await rerun(deployment, runId, { phases: ["context"], reach: "only" });
      await write(deployment, "context.txt", '{"l":1}\n{"l":2}\n');
      await rerun(deployment, runId, { phases: ["context"], reach: "only" });
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r3, glossary succeeded r1, publish succeeded r1, translate succeeded r1",
      );
      expect(await events(deployment, runId, "phase_refreshed")).toEqual([
        "translate is up to date again",
        "publish is up to date again",
      ]);
      expect(await rerun(deployment, runId, {})).toEqual([]);
    }),
  );

  test(
    "that fails leaves the revision in force, and can be run again or retried",
    withDeployment(async (deployment) => {
      const runId = await start(deployment);
      await write(deployment, "broken", "");
      await rerun(deployment, runId, { phases: ["translate"], reach: "downstream" });
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r1, glossary succeeded r1, publish skipped r1, translate failed r1",
      );
      expect(await ran(deployment)).toBe("translate×2");
      await rerun(deployment, runId, { phases: ["translate"], reach: "phase" });
      expect(await ran(deployment)).toBe("translate×2");
      await deployment.engine.retry(runId, {}, "test");
      await eventually(async () => (await readFile(join(deployment.dir, "ran"), "utf8")) !== "", { timeoutMs: 5_000 });
      await deployment.ended(runId);
      await rm(join(deployment.dir, "broken"));
      await ran(deployment);
      expect(await rerun(deployment, runId, {})).toEqual([
        "translate run: it has failed",
        "publish run: it was skipped because of translate",
      ]);
      expect(await ran(deployment)).toBe("publish translate×2");
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r1, glossary succeeded r1, publish succeeded r2, translate succeeded r2",
      );
      const shard = await deployment.store.ledger.findShard(runId, { phase: "translate", revision: 2, shard: 0 });
      expect(shard?.attempt).toBe(4);
      expect((await deployment.store.runs.get(runId)).status).toBe("succeeded");
    }),
  );

  test(
    "with another plan runs what has changed, and what that changes",
    withDeployment(async (deployment) => {
      const runId = await start(deployment);
      const phases = ("phases" in PLAN ? PLAN.phases : []).map((phase) =>
        phase.id === "translate" ? { ...phase, command: "echo translate >> ran; sed s/l/line/ $FANFOLD_INPUT" } : phase,
      );
      const plan = compile({
        ...PLAN,
        version: "2",
        phases: [...phases, { id: "stats", command: "echo stats >> ran", shell: true }],
      });
      const order = { plan: { compiled: plan }, phases: [], reach: "update" as const };
      expect(
        (await deployment.engine.previewRerun(runId, order)).steps.map(({ phase, why }) => `${phase}: ${why}`),
      ).toEqual(["translate: its definition has changed: work", "publish: it depends on translate"]);
      await rerun(deployment, runId, order);
      expect(await ran(deployment)).toBe("publish stats translate×2");
      expect(await standing(deployment, runId)).toBe(
        "context succeeded r1, glossary succeeded r1, publish succeeded r2, stats succeeded r1, translate succeeded r2",
      );
      const records = await deployment.store.runs.loadPhases(runId);
      expect(records.get("publish")?.artifacts?.[0]?.inline).toBe('{"line":1}\n{"line":2}\n');
      expect((await deployment.store.runs.get(runId)).plan_version).toBe("2");
      expect(await rerun(deployment, runId, order)).toEqual([]);
    }),
  );
});
