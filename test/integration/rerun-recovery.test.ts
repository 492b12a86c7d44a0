import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunEngine } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const skips = { on_failure: "skip_dependents" } as const;

/** Four shards that fail while there is a file `broken`, and what counts their output. */
const PLAN: PlanInput = {
  plan_id: "again",
  version: "1",
  phases: [
    {
      id: "work",
      shard: { strategy: "chunk", over: [1, 2, 3, 4], chunk_size: 1 },
      merge: { strategy: "concat" },
      command: "echo $FANFOLD_REVISION >> ran; cat word && test ! -e broken",
      shell: true,
      ...skips,
    },
    { id: "count", depends_on: ["work"], consumes: ["work"], command: "wc -l < $FANFOLD_ARTIFACTS/work", shell: true },
  ],
};

describe("a rerun", () => {
  test(
    "may be cut off anywhere: it has not happened, or it is carried out",
    { timeout: 60_000 },
    withDeployment(async (deployment, redis) => {
      const { engine, store } = deployment;
      await writeFile(join(deployment.dir, "word"), "one\n");
      const { run_id } = await deployment.run(PLAN);
      await writeFile(join(deployment.dir, "broken"), "");
      const again = (cut: RunEngine): Promise<unknown> =>
        cut.rerun(run_id, { phases: ["work"], reach: "downstream" }, "test");
      const whole = await cutOff(deployment, redis, Number.POSITIVE_INFINITY, again);
      expect((await deployment.ended(run_id)).status).toBe("failed");
      // from now on each rerun begins the second revision anew, which failed
      let turn = (await store.runs.get(run_id)).turn;
      let happened = 0;
      for (let commands = 3; commands < whole; commands += Math.ceil(whole / 7)) {
        await cutOff(deployment, redis, commands, again);
        await engine.sweep(run_id);
        const run = await deployment.ended(run_id);
        expect(run.status).toBe("failed");
        expect([turn, turn + 1]).toContain(run.turn);
        happened += run.turn - turn;
        turn = run.turn;
      }
      expect(happened).toBeGreaterThan(0);
      await rm(join(deployment.dir, "broken"));
      await engine.rerun(run_id, { phases: [], reach: "update" }, "test");
      expect((await deployment.ended(run_id)).status).toBe("succeeded");
      const phases = await store.runs.loadPhases(run_id);
      expect([...phases].map(([id, { revision }]) => `${id} r${revision}`).sort()).toEqual(["count r2", "work r2"]);
      expect(phases.get("count")?.artifacts?.[0]?.inline?.trim()).toBe("4");
      const lines = await deployment.journal(run_id);
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1));
    }),
  );

  test(
    "goes on beside what runs, which keeps the inputs it started with",
    withDeployment(async (deployment) => {
      const { dir, engine, store } = deployment;
      await writeFile(join(dir, "word"), "one\n");
      const runId = await deployment.submit({
        plan_id: "beside",
        version: "1",
        globals: { max_concurrency: 2 },
        phases: [
          { id: "source", command: "cat word", shell: true },
          {
            id: "slow",
            depends_on: ["source"],
            consumes: ["source"],
            shard: { strategy: "chunk", over: [1, 2], chunk_size: 1 },
            merge: { strategy: "concat" },
            max_parallel: 1,
            command:
              "cat $FANFOLD_ARTIFACTS/source; touch started; until test -e go; do sleep 0.02; test -d . || exit; done",
            shell: true,
          },
        ],
      });
      await eventually(() => readFile(join(dir, "started")));
      await writeFile(join(dir, "word"), "two\n");
      await engine.rerun(runId, { phases: ["source"], reach: "phase" }, "test");
      await eventually(async () => (await store.runs.loadPhases(runId)).get("source")?.revision === 2);
      await expect(engine.rerun(runId, { phases: ["slow"], reach: "phase" }, "test")).rejects.toThrow(
        "slow is running",
      );
      await writeFile(join(dir, "go"), "");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const slow = (await store.runs.loadPhases(runId)).get("slow");
      // its second shard started after the source had a new revision
      expect(slow?.artifacts?.[0]?.inline).toBe("one\none\n");
      expect(slow?.stale).toMatchObject({ phase: "source", used: 1, latest: 2 });
    }),
  );
});
