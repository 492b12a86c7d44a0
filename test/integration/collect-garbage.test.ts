import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { collectArtifacts, collectGarbage } from "@fanfold/engine";
import type { PlanInput, RunRecord } from "@fanfold/schemas";
import { shardId } from "@fanfold/store";
import { compile, type Deployment, eventually } from "@fanfold/testkit";
import { array, assert, asyncProperty, boolean, integer, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** A run whose outputs, shards and logs are too large for Redis: the same word gives the same content. */
function bulky(word: string): PlanInput {
  const print = `yes ${word} | head -c 20000`;
  return {
    plan_id: "bulky",
    version: "1",
    phases: [
      { id: "log", command: `${print} >&2; ${print}`, shell: true },
      {
        id: "cut",
        command: `cat $FANFOLD_INPUT; ${print}`,
        shell: true,
        shard: { strategy: "chunk", over: [1, 2], chunk_size: 1 },
        merge: { strategy: "concat" },
      },
      { id: "fails", command: `${print}; exit 1`, shell: true, on_failure: "continue", critical: false },
    ],
  };
}

async function filesOf({ dir }: Deployment): Promise<string[]> {
  const groups = await readdir(join(dir, "artifacts"), { recursive: true }).catch(() => []);
  return groups.flatMap((path) => /^sha256\/..\/(.+)$/.exec(path)?.[1] ?? []).sort();
}

async function referred({ store }: Deployment, runIds: readonly string[]): Promise<string[]> {
  const shas = new Set<string>();
  for (const runId of runIds) {
    for await (const page of store.removals.scanReferences(runId)) for (const sha of page) shas.add(sha);
  }
  return [...shas].sort();
}

const NOW = { graceMs: 0, dryRun: false };

describe("collecting garbage", () => {
  test(
    "removes runs beyond the limits, the oldest first, and then what no kept run refers to",
    withDeployment(async (deployment) => {
      const ids: string[] = [];
      for (const word of ["one", "two", "two"]) ids.push((await deployment.run(bulky(word))).run_id);
      const [oldest = "", older = ""] = ids;
      const before = await filesOf(deployment);

      const plan = await collectGarbage(deployment.engine, { keepRuns: 1, graceMs: 0, dryRun: true });
      expect(plan.runs).toEqual([oldest, older]);
      expect(await filesOf(deployment)).toEqual(before);

      const { runs, keys, artifacts } = await collectGarbage(deployment.engine, { keepRuns: 1, graceMs: 0 });
      expect(runs).toEqual([oldest, older]);
      expect(keys).toBeGreaterThan(40);
      expect(artifacts).toMatchObject({ files: plan.artifacts.files, bytes: plan.artifacts.bytes });
      const kept = await referred(deployment, ids);
      expect(await filesOf(deployment)).toEqual(before.filter((sha) => kept.includes(sha)));
      expect(artifacts.files).toBe(before.length - (await filesOf(deployment)).length);
      expect(artifacts.files).toBeGreaterThan(2);
      expect((await collectGarbage(deployment.engine, { keepRuns: 1, graceMs: 0 })).runs).toEqual([]);
    }),
  );

  test(
    "never removes content that a kept run refers to, whatever is removed around it",
    withDeployment(async (deployment) => {
      const words = array(integer({ min: 0, max: 5 }), { maxLength: 4 });
      const step = record({ words, removed: boolean(), collected: boolean() });
      let runCount = 0;
      await assert(
        asyncProperty(array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
          const kept: string[] = [];
          for (const { words: made, removed, collected } of steps) {
            runCount += 1;
            const runId = `run-${runCount}`;
            await storeEndedRun(deployment, runId, made);
            if (!removed) kept.push(runId);
            else {
              const { references } = await deployment.engine.remove(runId, { force: false, actor: "test" });
              await collectArtifacts(deployment.engine, { ...NOW, only: references });
            }
            if (collected) await collectGarbage(deployment.engine, { graceMs: 0 });
            expect(await filesOf(deployment)).toEqual(await referred(deployment, kept));
          }
          for (const runId of kept) await deployment.engine.remove(runId, { force: false, actor: "test" });
          await collectGarbage(deployment.engine, { graceMs: 0 });
          expect(await filesOf(deployment)).toEqual([]);
        }),
        { numRuns: 12, endOnFailure: true },
      );
    }),
  );

  test(
    "keeps young content, and all that a live run may be about to name",
    withDeployment(async (deployment) => {
      const { run_id: ended } = await deployment.run(bulky("old"));
      const live = await deployment.submit({
        plan_id: "live",
        version: "1",
        phases: [{ id: "wait", command: "sleep", args: ["60"] }],
      });
      await eventually(async () => (await deployment.story(live)).includes("shard_started"));
      const before = await filesOf(deployment);
      await deployment.engine.remove(ended, { force: false, actor: "test" });
      const { runs, artifacts } = await collectGarbage(deployment.engine, { keepRuns: 0, keepDays: 0, graceMs: 0 });
      expect(runs).toEqual([]);
      expect(artifacts.files).toBe(0);
      expect(await filesOf(deployment)).toEqual(before);
      expect((await deployment.store.runs.get(live)).status).toBe("running");
      await deployment.engine.remove(live, { force: true, actor: "test" });
      expect((await collectGarbage(deployment.engine, { graceMs: 3_600_000 })).artifacts.files).toBe(0);
      for (const sha of before) await utimes(join(deployment.dir, "artifacts/sha256", sha.slice(0, 2), sha), 1, 1);
      expect((await collectGarbage(deployment.engine, { graceMs: 3_600_000 })).artifacts.files).toBe(before.length);
    }),
  );

  test(
    "leaves content alone where another deployment keeps its own, and names it",
    withDeployment(async (deployment) => {
      await storeEndedRun(deployment, "mine", [1, 2]);
      await writeFile(join(deployment.dir, "artifacts/deployments/other"), "{other} at elsewhere\n");
      await deployment.engine.remove("mine", { force: false, actor: "test" });
      const before = await filesOf(deployment);
      const { artifacts } = await collectGarbage(deployment.engine, { graceMs: 0 });
      expect(artifacts.sharedWith).toMatchObject([{ id: "other", label: "{other} at elsewhere" }]);
      expect(await filesOf(deployment)).toEqual(before);
    }),
  );

  test(
    "finishes what a removal that died has begun",
    withDeployment(async (deployment) => {
      await storeEndedRun(deployment, "half", [1, 2]);
      await deployment.store.removals.begin("half", "0.died");
      expect((await collectGarbage(deployment.engine, { graceMs: 0 })).runs).toEqual(["half"]);
      expect(await filesOf(deployment)).toEqual([]);
    }),
  );

  test(
    "is done by a scheduler that was given limits",
    withDeployment(async (deployment) => {
      for (const id of ["old", "new"]) await storeEndedRun(deployment, id, [1]);
      await deployment.addScheduler({ keepRuns: 1 });
      await eventually(async () => (await deployment.store.runs.list({ limit: 9 })).length === 1);
      expect((await deployment.store.runs.list({ limit: 9 })).map(({ run_id }) => run_id)).toHaveLength(1);
    }),
  );
});

/** A run as one that has ended leaves it: its shards' outputs and logs are in the artifact store. */
async function storeEndedRun({ store }: Deployment, runId: string, words: readonly number[]): Promise<void> {
  const plan = compile({ plan_id: "stored", version: "1", phases: [{ id: "fan", command: "true" }] });
  await store.runs.create(newRun(runId), plan);
  const { run, shards } = store.keys.run(runId);
  for (const [shard, word] of words.entries()) {
    const content = await store.artifacts.put([Buffer.from(`word ${word}`)]);
    const result = shard % 2 === 0 ? { result: { output: content } } : { log: content };
    const shardRecord = { status: "succeeded", attempt: 1, ...result };
    await store.redis.hset(shards, shardId({ phase: "fan", revision: 1, shard }), JSON.stringify(shardRecord));
  }
  // what is stored in the same moment as the collection looks at the clock stays
  const storedAtMs = await store.artifacts.nowMs();
  await eventually(async () => (await store.artifacts.nowMs()) > storedAtMs, { everyMs: 1 });
  await store.redis.hset(run, { status: "succeeded", finished_at_ms: "2" });
  await store.redis.srem(store.keys.liveRuns, runId);
}

function newRun(run_id: string): RunRecord {
  return {
    run_id,
    plan_id: "stored",
    plan_version: "1",
    status: "queued",
    version: 1,
    stop: null,
    stop_phase: null,
    stop_kills: false,
    paused: false,
    cascades: false,
    tolerated_failures: 0,
    plan_revision: 0,
    turn: 0,
    created_at_ms: 1,
    started_at_ms: 1,
    finished_at_ms: null,
  };
}
