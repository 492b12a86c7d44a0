import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { explainReuse } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { compile, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { accountOf, CACHE, capitals, change, lines, THREE } from "./reuse-model/capitals.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

describe("a phase that reuses outputs", () => {
  test(
    "opens a phase to its end when whoever opened it died in the middle of taking outputs over",
    withDeployment(
      async (deployment) => {
        const { store, engine } = deployment;
        const worker = await deployment.addWorker();
        await deployment.run(capitals(THREE));
        await worker.stop();
        const changed = lines(["a", "x", "y"], ["b", "changed"], ["c", "w"]);
        const first = await store.reuse.find(await store.redis.hkeys(store.keys.reuse), 0);
        const dying = store.reuse.take.bind(store.reuse);
        // dies after one shard was taken over, before the rest, the claim and the flow
        store.reuse.take = async (runId, ref, shards, nowMs) => {
          await dying(runId, ref, shards.slice(0, 1), nowMs);
          throw new Error("killed");
        };
        const runId = await deployment.submit(capitals(changed));
        const counts = await eventually(async () => {
          const found = await store.ledger.findPhase(runId, "capitals");
          if (found?.reused !== 1) throw new Error("not there yet");
          return found;
        });
        expect(first).toHaveLength(3);
        expect(counts).toMatchObject({ reusing: 1, next: 0, ahead: 1, succeeded: 1 });
        // nobody hands out a shard of it meanwhile
        expect(await store.ledger.claim(runId, "somebody")).toEqual([]);
        store.reuse.take = dying;
        await deployment.addWorker();
        await engine.sweep(runId);
        const run = await deployment.ended(runId);
        expect(run.status).toBe("succeeded");
        expect(await accountOf(deployment, runId)).toEqual({
          started: ["capitals[1]"],
          reused: ["capitals[0]", "capitals[2]"],
        });
      },
      { workers: 0 },
    ),
  );

  test(
    "puts the flow of a phase on its queues when whoever opened it died before that",
    withDeployment(async (deployment) => {
      const { store, engine } = deployment;
      await deployment.run(capitals(THREE));
      const adding = store.queues.addFlow.bind(store.queues);
      for (const over of [THREE, lines(["a", "x", "y"], ["b", "changed"], ["c", "w"])]) {
        let deaths = 0;
        store.queues.addFlow = async () => {
          deaths += 1;
          throw new Error("killed");
        };
        const runId = await deployment.submit(capitals(over));
        await eventually(() => deaths > 0);
        expect(await store.ledger.findPhase(runId, "capitals")).toMatchObject({ next: 3, ahead: 0 });
        store.queues.addFlow = adding;
        await engine.sweep(runId);
        expect((await deployment.ended(runId)).status).toBe("succeeded");
        const { started, reused } = await accountOf(deployment, runId);
        expect([...started, ...reused].sort()).toEqual(["capitals[0]", "capitals[1]", "capitals[2]"]);
      }
    }),
  );

  test(
    "goes on with a phase that a stop met while outputs were taken over",
    withDeployment(async (deployment) => {
      const { store, engine } = deployment;
      await deployment.run(capitals(THREE));
      const taking = store.reuse.take.bind(store.reuse);
      const plan = capitals(THREE);
      const failing: PlanInput = {
        ...plan,
        phases: [
          {
            id: "fails",
            command: "until test -e go; do sleep 0.02; done; test -e mark",
            shell: true,
          },
          ...("phases" in plan ? plan.phases : []),
        ],
      };
      let runId = "";
      // the other phase fails and stops the run between two chunks
      store.reuse.take = async (...args) => {
        const [id, ref, shards, nowMs] = args;
        runId = id;
        const taken = await taking(id, ref, shards.slice(0, 1), nowMs);
        await writeFile(join(deployment.dir, "go"), "");
        await eventually(async () => (await store.runs.get(id)).stop === "abort");
        return taken + (await taking(id, ref, shards.slice(1), nowMs));
      };
      const run = await deployment.run(failing);
      store.reuse.take = taking;
      expect(runId).toBe(run.run_id);
      expect(run.status).toBe("failed");
      expect((await deployment.journal(runId)).at(-1)?.event).toBe("run_failed");
      await writeFile(join(deployment.dir, "mark"), "");
      await engine.retry(runId, {}, "test");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const account = await accountOf(deployment, runId);
      expect(account.reused).toEqual(["capitals[0]"]);
      expect(account.started).toEqual(["capitals[1]", "capitals[2]", "fails[0]", "fails[0]"]);
    }),
  );

  test(
    "is repaired when its jobs are removed, without jobs for the shards that were reused",
    withDeployment(async (deployment) => {
      const { store, engine } = deployment;
      await deployment.run(capitals(THREE));
      const changed = lines(["a", "x", "y"], ["b", "changed"], ["c", "w"]);
      const gate = join(deployment.dir, "go");
      const command = `grep -q changed $FANFOLD_INPUT && until test -e ${gate}; do sleep 0.02; done; tr xyzwv XYZWV < $FANFOLD_INPUT`;
      await deployment.run(capitals(THREE, { command }));
      const runId = await deployment.submit(capitals(changed, { command }));
      await eventually(async () => (await accountOf(deployment, runId)).started.length === 1);
      const ids = [`settle.${runId}.capitals.r1`, `aggregate.${runId}.capitals.r1`];
      for (const [i, queue] of ["scheduler", "aggregate"].entries()) {
        await store.redis.unlink(`${store.keys.prefix}:${queue}:${ids[i]}`);
      }
      await engine.sweep(runId);
      await writeFile(gate, "");
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const account = await accountOf(deployment, runId);
      expect(account).toEqual({ started: ["capitals[1]"], reused: ["capitals[0]", "capitals[2]"] });
      const events = (await deployment.journal(runId)).map(({ event }) => event);
      expect(events).toContain("phase_repaired");
      expect(events).not.toContain("shard_repaired");
    }),
  );

  test(
    "runs a phase anew that a rerun names, and reuses in what follows from it",
    withDeployment(async (deployment) => {
      const { engine, store } = deployment;
      const base = capitals(THREE, { command: "echo ran >> ran; cat $FANFOLD_INPUT" });
      const plan: PlanInput = {
        ...base,
        phases: [
          ...("phases" in base ? base.phases : []),
          {
            id: "last",
            depends_on: ["capitals"],
            command: "cat $FANFOLD_INPUT",
            shell: true,
            shard: { strategy: "chunk", over: "capitals", chunk_size: 1 },
            cache: CACHE,
          },
        ],
      };
      const runId = (await deployment.run(plan)).run_id;
      await engine.rerun(runId, { phases: ["capitals"], reach: "only" }, "test");
      await deployment.ended(runId);
      expect((await accountOf(deployment, runId)).reused).toEqual([]);
      expect(await readFile(join(deployment.dir, "ran"), "utf8")).toBe("ran\n".repeat(6));
      // a changed plan: what it changes is cut anew, and reuses what it can
      const changed = compile({ ...plan, phases: plan.phases.map((phase) => change(phase)) });
      await engine.rerun(runId, { phases: [], reach: "phase", plan: { compiled: changed } }, "test");
      await deployment.ended(runId);
      expect(await readFile(join(deployment.dir, "ran"), "utf8")).toBe("ran\n".repeat(7));
      const reused = (await accountOf(deployment, runId)).reused;
      expect(reused.filter((place) => place.startsWith("capitals"))).toEqual(["capitals[0]", "capitals[2]"]);
      expect(reused.filter((place) => place.startsWith("last"))).toHaveLength(3);
      expect((await store.runs.loadPhases(runId)).get("last")?.revision).toBe(2);
      const [told] = (await explainReuse(engine, runId, { phase: "capitals", shard: 0 })).shards;
      expect(told?.reused_from).toMatchObject({ run_id: runId, phase: "capitals", revision: 2, shard: 0 });
    }),
  );

  test(
    "takes outputs over in a making that is begun anew after it failed",
    withDeployment(async (deployment) => {
      const { engine } = deployment;
      const command = "grep -q changed $FANFOLD_INPUT && test ! -e mended && exit 3; cat $FANFOLD_INPUT";
      const changed = lines(["a", "x", "y"], ["b", "changed"], ["c", "w"], ["d", "v"]);
      await deployment.run(capitals(THREE, { command }));
      const run = await deployment.run(capitals(changed, { command }));
      expect(run.status).toBe("failed");
      await writeFile(join(deployment.dir, "mended"), "");
      await engine.rerun(run.run_id, { phases: [], reach: "update" }, "test");
      expect((await deployment.ended(run.run_id)).status).toBe("succeeded");
      const again = (await accountOf(deployment, run.run_id)).reused;
      expect(again.filter((place) => place === "capitals[0]")).toHaveLength(2);
      expect(again).not.toContain("capitals[1]");
      await engine.rerun(run.run_id, { phases: ["capitals"], reach: "only" }, "test");
      expect((await deployment.ended(run.run_id)).status).toBe("succeeded");
      expect((await accountOf(deployment, run.run_id)).reused).toEqual(again);
    }),
  );
});
