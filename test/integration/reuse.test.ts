import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { collectGarbage, explainReuse, type PhaseReuse } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { accountOf, CACHE, capitals, type Line, lines, outputOf, THREE } from "./reuse-model/capitals.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

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
});
