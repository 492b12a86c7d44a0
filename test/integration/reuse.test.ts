import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { collectGarbage, explainReuse, type PhaseReuse } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { compile, type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const CACHE = { version: "1" };
type Line = { readonly scene_id: string; readonly n: number; readonly text: string };

function lines(...scenes: readonly (readonly [scene: string, ...texts: string[]])[]): Line[] {
  return scenes.flatMap(([scene_id, ...texts], s) => texts.map((text, i) => ({ scene_id, n: s * 100 + i, text })));
}

const THREE = lines(["a", "x", "y"], ["b", "z"], ["c", "w"]);

/** Each scene in capitals; `more` is put over the phase. */
function capitals(over: readonly Line[], more: object = {}): PlanInput {
  return {
    plan_id: "capitals",
    version: "1",
    phases: [
      {
        id: "capitals",
        command: "tr xyzwv XYZWV < $FANFOLD_INPUT",
        shell: true,
        shard: { strategy: "scene", over: over.map((line) => ({ ...line })) },
        merge: { strategy: "records", key: "n" },
        cache: CACHE,
        ...more,
      },
    ],
  };
}

/** The phase with another text in scene b. */
function change<P extends { id: string }>(phase: P): P {
  if (phase.id !== "capitals") return phase;
  const over = lines(["a", "x", "y"], ["b", "changed"], ["c", "w"]).map((line) => ({ ...line }));
  return { ...phase, shard: { strategy: "scene", over } };
}

async function outputOf(deployment: Deployment, runId: string, phase: string): Promise<string | undefined> {
  return (await deployment.store.runs.loadPhases(runId)).get(phase)?.artifacts?.[0]?.inline;
}

/** Shards of a run that were started and reused, such as `capitals[1]`. */
async function accountOf(deployment: Deployment, runId: string): Promise<{ started: string[]; reused: string[] }> {
  const journal = await deployment.journal(runId);
  const of = (name: string): string[] =>
    journal.filter(({ event }) => event === name).map(({ phase, shard }) => `${phase}[${shard}]`);
  return { started: of("shard_started").sort(), reused: of("shard_reused").sort() };
}

describe("reuse of shard outputs", () => {
  test(
    "runs only the shards whose records changed, and gives what a cold run gives",
    withDeployment(async (deployment) => {
      await deployment.run(capitals(THREE));
      const changed = lines(["a", "x", "y"], ["new", "v"], ["b", "zz"], ["c", "w"]);
      const warm = await deployment.run(capitals(changed));
      // the records of scene c have other numbers now
      expect(await accountOf(deployment, warm.run_id)).toEqual({
        started: ["capitals[1]", "capitals[2]", "capitals[3]"],
        reused: ["capitals[0]"],
      });
      const cold = await deployment.ended(await deployment.submit(capitals(changed), undefined, { noCache: true }));
      expect((await accountOf(deployment, cold.run_id)).reused).toEqual([]);
      const output = await outputOf(deployment, warm.run_id, "capitals");
      expect(output).toContain('"ZZ"');
      expect(await outputOf(deployment, cold.run_id, "capitals")).toBe(output);
    }),
  );

  test(
    "takes all of a phase over: no job, no attempt, and the merge all the same",
    withDeployment(async (deployment) => {
      const first = await deployment.run(capitals(THREE));
      const second = await deployment.run(capitals(THREE));
      expect(await deployment.story(second.run_id)).toBe(
        "run_queued, run_started, phase_started capitals, shard_reused capitals[0], shard_reused capitals[1], " +
          "shard_reused capitals[2], artifact_persisted capitals, phase_succeeded capitals, run_succeeded",
      );
      expect(await outputOf(deployment, second.run_id, "capitals")).toBe(
        await outputOf(deployment, first.run_id, "capitals"),
      );
      const [line] = (await deployment.journal(second.run_id)).filter(({ event }) => event === "shard_reused");
      expect(line?.message).toBe(`capitals[0] reused from ${first.run_id}/capitals[0]`);
      // a third run names the shard that made the output, and does not need the first run for that
      await deployment.engine.remove(first.run_id, { force: false, actor: "test" });
      const third = await deployment.run(capitals(THREE));
      const record = await deployment.store.ledger.findShard(third.run_id, {
        phase: "capitals",
        revision: 1,
        shard: 2,
      });
      expect(record?.reused_from).toMatchObject({ run_id: first.run_id, shard: 2 });
      expect(record?.attempt).toBeUndefined();
    }),
  );

  test(
    "reuses the output and the artifacts of a phase without shards",
    withDeployment(async (deployment) => {
      const report = `echo more > $FANFOLD_OUTPUT.x; echo "{\\"type\\":\\"artifact\\",\\"name\\":\\"extra\\",\\"path\\":\\"$FANFOLD_OUTPUT.x\\"}" >> $FANFOLD_EVENTS; echo main`;
      const plan: PlanInput = {
        plan_id: "direct",
        version: "1",
        phases: [
          { id: "a", command: "sh", args: ["-c", report], provides: ["main", "extra"], cache: CACHE },
          {
            id: "b",
            command: "sh",
            args: ["-c", "cat $FANFOLD_ARTIFACTS/extra"],
            depends_on: ["a"],
            consumes: ["extra"],
          },
        ],
      };
      await deployment.run(plan);
      const again = await deployment.run(plan);
      expect(await accountOf(deployment, again.run_id)).toEqual({ started: ["b[0]"], reused: ["a[0]"] });
      expect(await outputOf(deployment, again.run_id, "b")).toBe("more\n");
    }),
  );

  test(
    "runs again what consumes another artifact, has other words, another environment, key or version",
    withDeployment(async (deployment) => {
      const plan = (data: string, more: object = {}): PlanInput => ({
        plan_id: "parts",
        version: "1",
        phases: [
          { id: "data", command: "echo", args: [data] },
          {
            id: "use",
            command: "sh",
            args: ["-c", "cat $FANFOLD_ARTIFACTS/data; echo $WORD"],
            env: { WORD: "one" },
            depends_on: ["data"],
            consumes: ["data"],
            cache: CACHE,
            ...more,
          },
        ],
      });
      const isReused = async (data: string, more?: object): Promise<boolean> => {
        const run = await deployment.run(plan(data, more));
        return (await accountOf(deployment, run.run_id)).reused.length === 1;
      };
      expect(await isReused("first")).toBe(false);
      expect(await isReused("first")).toBe(true);
      expect(await isReused("second")).toBe(false);
      expect(await isReused("first", { env: { WORD: "two" } })).toBe(false);
      expect(await isReused("first", { args: ["-c", "echo other"] })).toBe(false);
      expect(await isReused("first", { cache: { version: "2" } })).toBe(false);
      expect(await isReused("first", { cache: { version: "1", key: "k" } })).toBe(false);
      expect(await isReused("first", { timeout_sec: 5, retries: 2, max_parallel: 1, name: "Use" })).toBe(true);
      expect(await isReused("first", { cache: { version: "1", ttl_days: 0.000_000_001 } })).toBe(false);
    }),
  );

  test(
    "never reuses what failed, and releases only the rest of a phase under its caps",
    withDeployment(async (deployment) => {
      const flaky = (fail: string): PlanInput =>
        capitals(THREE, {
          command: `grep -q '"${fail}"' $FANFOLD_INPUT && exit 3; cat $FANFOLD_INPUT`,
          env: {},
          max_failed_shards: 1,
          max_parallel: 1,
        });
      await deployment.run(flaky("b"));
      const again = await deployment.run(flaky("b"));
      expect(again.status).toBe("succeeded");
      expect(await accountOf(deployment, again.run_id)).toEqual({
        started: ["capitals[1]"],
        reused: ["capitals[0]", "capitals[2]"],
      });
    }),
  );

  test(
    "runs everything of a phase that is refreshed, and reuses what that gave",
    withDeployment(async (deployment) => {
      const counting = capitals(THREE, { command: `date +%N > $FANFOLD_OUTPUT`, merge: { strategy: "concat" } });
      const first = await deployment.run(counting);
      const fresh = await deployment.ended(await deployment.submit(counting, undefined, { refresh: ["capitals"] }));
      const third = await deployment.run(counting);
      const outputs = await Promise.all(
        [first, fresh, third].map((run) => outputOf(deployment, run.run_id, "capitals")),
      );
      expect(outputs[1]).not.toBe(outputs[0]);
      expect(outputs[2]).toBe(outputs[1]);
    }),
  );

  test(
    "forgets the outputs of runs that are removed, and keeps content that was handed on",
    withDeployment(async (deployment) => {
      const large = capitals(THREE, {
        command: `head -c 40000 /dev/zero | tr '\\0' x; cat $FANFOLD_INPUT`,
        merge: { strategy: "concat" },
      });
      const first = await deployment.run(large);
      const second = await deployment.run(large);
      expect((await accountOf(deployment, second.run_id)).reused).toHaveLength(3);
      await deployment.engine.remove(first.run_id, { force: false, actor: "test" });
      await collectGarbage(deployment.engine, { graceMs: 0 });
      const third = await deployment.run(large);
      expect((await accountOf(deployment, third.run_id)).reused).toHaveLength(3);
      await deployment.engine.remove(second.run_id, { force: false, actor: "test" });
      await deployment.engine.remove(third.run_id, { force: false, actor: "test" });
      expect(await deployment.store.redis.hlen(deployment.store.keys.reuse)).toBe(0);
      const fourth = await deployment.run(large);
      expect((await accountOf(deployment, fourth.run_id)).reused).toEqual([]);
    }),
  );

  test(
    "counts the content of a handler and of what it imports, and of scripts that a command names",
    withDeployment(async (deployment) => {
      const write = (name: string, text: string): Promise<void> => writeFile(join(deployment.dir, name), text);
      await write("word.mjs", 'export const word = "one";');
      await write("handler.mjs", 'import { word } from "./word.mjs"; export default () => ({ word });');
      await write("script.sh", "echo one");
      const plan: PlanInput = {
        plan_id: "code",
        version: "1",
        phases: [
          { id: "handled", handler: "./handler.mjs", cache: true },
          { id: "scripted", command: "sh", args: ["script.sh"], cache: true },
        ],
      };
      const reused = async (): Promise<string[]> => {
        const run = await deployment.run(plan);
        return (await accountOf(deployment, run.run_id)).reused;
      };
      expect(await reused()).toEqual([]);
      expect(await reused()).toEqual(["handled[0]", "scripted[0]"]);
      await write("script.sh", "echo two");
      expect(await reused()).toEqual(["handled[0]"]);
      // an import stays in the process as it was loaded, so what comes of the change here is not kept
      await write("word.mjs", 'export const word = "two";');
      expect(await reused()).toEqual(["scripted[0]"]);
      expect(await reused()).toEqual(["scripted[0]"]);
      await write("word.mjs", 'export const word = "one";');
      expect(await reused()).toEqual(["handled[0]", "scripted[0]"]);
    }),
  );

  test(
    "says what differs from the nearest earlier run",
    withDeployment(async (deployment) => {
      const plan = (over: readonly Line[], more: object = {}): PlanInput =>
        capitals(over, { env: { WORD: "one" }, cache: true, ...more });
      const first = await deployment.run(plan(THREE));
      const explain = async (runId: string, shard?: number): Promise<PhaseReuse> =>
        explainReuse(deployment.engine, runId, { phase: "capitals", ...(shard === undefined ? {} : { shard }) });
      const differences = async (runId: string, shard: number): Promise<unknown> => {
        const [told] = (await explain(runId, shard)).shards;
        return told?.differs.map(({ part, details }) => [part, ...details].join(" "));
      };
      expect((await explain(first.run_id, 1)).shards[0]).toMatchObject({
        reused_from: null,
        nearest: null,
        why: "no earlier run of this plan that is still there kept anything of this phase",
      });
      const second = await deployment.run(plan(lines(["a", "x", "y"], ["b", "changed"], ["c", "w"])));
      const whole = await explain(second.run_id);
      expect(whole).toMatchObject({ shard_count: 3, reused_count: 2, why: "2 of 3 shards reused" });
      expect(whole.shards.map(({ shard }) => shard)).toEqual([1]);
      expect((await explain(second.run_id, 0)).shards[0]?.why).toBe(`reused from ${first.run_id}/capitals[0]`);
      expect(await differences(second.run_id, 1)).toEqual(["records"]);
      const third = await deployment.run(plan(THREE, { env: { WORD: "two", MORE: "" }, cwd: "." }));
      expect(await differences(third.run_id, 0)).toEqual(["env MORE WORD"]);
      const fourth = await deployment.run(plan(THREE, { command: "cat $FANFOLD_INPUT", cache: { version: "7" } }));
      expect(await differences(fourth.run_id, 2)).toEqual(["work command", "code files → version 7"]);
      const fifth = await deployment.ended(await deployment.submit(plan(THREE), undefined, { refresh: ["capitals"] }));
      expect((await explain(fifth.run_id, 0)).why).toBe("all of it was made anew: --refresh");
      const sixth = await deployment.ended(await deployment.submit(plan(THREE), undefined, { noCache: true }));
      expect((await explain(sixth.run_id)).why).toContain("--no-cache");
    }),
  );

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
