import type { RunEngine } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { listServers } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { cutOff } from "./cut-off.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Every kind of flow, output, log and end of a phase. */
const MIXED: PlanInput = {
  plan_id: "mixed",
  version: "1",
  phases: [
    { id: "list", command: "sh", args: ["-c", `seq -f '{"n":%g}' 1 6; echo listing >&2`] },
    {
      id: "gated",
      command: "cat $FANFOLD_INPUT; head -c 20000 /dev/zero | tr '\\0' x",
      shell: true,
      depends_on: ["list"],
      shard: { strategy: "chunk", over: "list", chunk_size: 1 },
      max_parallel: 2,
      merge: { strategy: "command", command: "cat" },
      lock: "press",
    },
    { id: "locked", command: "echo", args: ["hi"], depends_on: ["list"], lock: "press" },
    {
      id: "bad",
      command: "echo no >&2; exit 1",
      shell: true,
      depends_on: ["list"],
      shard: { strategy: "chunk", over: "list", chunk_size: 2 },
      retries: 1,
      retry_delay_sec: 0,
      on_failure: "skip_dependents",
      merge: { strategy: "concat" },
    },
    { id: "after", command: "true", depends_on: ["bad"] },
  ],
};

/** A gate, an aggregate that waits, and a shard that fails. */
const FAN: PlanInput = {
  plan_id: "fan",
  version: "1",
  phases: [
    {
      id: "fan",
      command: "echo x; test $FANFOLD_SHARD_INDEX -ne 1",
      shell: true,
      shard: { strategy: "chunk", over: [1, 2, 3], chunk_size: 1 },
      max_parallel: 1,
      merge: { strategy: "concat" },
    },
  ],
};

/** Keys of the deployment, without those of the repeated sweep, whose names hold the time. */
async function keysOf({ store }: Deployment): Promise<string[]> {
  const keys: string[] = [];
  for (const server of listServers(store.redis)) {
    for await (const page of server.scanStream({ match: `${store.keys.prefix}*`, count: 1_000 })) keys.push(...page);
  }
  const own = keys.filter(
    (key) => !/:scheduler:(repeat|completed|delayed|wait|active|marker)|:lock$|stalled/.test(key),
  );
  return [...new Set(own)].sort();
}

const JOBLESS: PlanInput = { plan_id: "small", version: "1", phases: [{ id: "a", command: "true" }] };

describe("removing a run", () => {
  test(
    "leaves no key of it: as many keys as before",
    withDeployment(async (deployment) => {
      // the queues' own counters and event streams, which stay, come with the first run
      await deployment.engine.remove((await deployment.run(FAN)).run_id, { force: false, actor: "test" });
      const before = await keysOf(deployment);
      expect(before.filter((key) => key.includes("run_"))).toEqual([]);
      const run = await deployment.run(MIXED);
      expect(run.status).toBe("failed");
      expect((await keysOf(deployment)).length).toBeGreaterThan(before.length + 20);
      const removed = await deployment.engine.remove(run.run_id, { force: false, actor: "test" });
      expect(removed.keys).toBeGreaterThan(20);
      expect(await keysOf(deployment)).toEqual(before);
      expect(await deployment.store.runs.list({ limit: 10 })).toEqual([]);
      await expect(deployment.store.runs.get(run.run_id)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    }),
  );

  test(
    "is refused while the run is live, and says what to do; by force it is cancelled first",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit({
        plan_id: "long",
        version: "1",
        globals: { kill_grace_sec: 0.2 },
        phases: [
          {
            id: "fan",
            command: "sleep",
            args: ["60"],
            shard: { strategy: "chunk", over: [1, 2, 3, 4, 5, 6], chunk_size: 1 },
            max_parallel: 2,
          },
        ],
      });
      await eventually(async () => (await deployment.story(runId)).includes("shard_started fan[1]"));
      await expect(deployment.engine.remove(runId, { force: false, actor: "test" })).rejects.toMatchObject({
        code: "RUN_LIVE",
        message: expect.stringMatching(/is running; cancel it first.*--force/),
      });
      expect((await deployment.store.runs.get(runId)).status).toBe("running");
      await deployment.engine.remove(runId, { force: true, actor: "test" });
      expect((await keysOf(deployment)).filter((key) => key.includes(runId))).toEqual([]);
    }),
  );

  test(
    "lets the id be used again, for another plan, by processes that knew the old one",
    withDeployment(async (deployment) => {
      const plan = (word: string): PlanInput => ({
        plan_id: "again",
        version: "1",
        phases: [
          { id: "a", command: "echo", args: [word] },
          { id: "b", command: "sh", args: ["-c", "cat $FANFOLD_ARTIFACTS/a"], depends_on: ["a"], consumes: ["a"] },
        ],
      });
      for (const word of ["first", "second"]) {
        await deployment.ended(await deployment.submit(plan(word), "mine"));
        const phases = await deployment.store.runs.loadPhases("mine");
        expect(phases.get("b")?.artifacts?.[0]?.inline).toBe(`${word}\n`);
        await deployment.engine.remove("mine", { force: false, actor: "test" });
      }
    }),
  );

  test(
    "does not touch a run whose id begins alike",
    withDeployment(async (deployment) => {
      for (const id of ["a", "a.b", "a-b"]) await deployment.ended(await deployment.submit(JOBLESS, id));
      await deployment.engine.remove("a", { force: false, actor: "test" });
      const keys = await keysOf(deployment);
      expect(keys.filter((key) => key.includes("start.a.b") || key.includes("start.a-b"))).toHaveLength(2);
      expect((await deployment.store.runs.list({ limit: 10 })).map(({ run_id }) => run_id).sort()).toEqual([
        "a-b",
        "a.b",
      ]);
    }),
  );

  test(
    "may die half-way: the run takes no more work, cannot be submitted, and is removed by doing it again",
    withDeployment(async (deployment) => {
      const { run_id: runId } = await deployment.run(FAN);
      const { store } = deployment;
      expect(await store.removals.begin(runId, "died")).toEqual({ kind: "begun" });
      await store.jobRemovals.removeSchedulerJobs(runId);
      expect((await store.runs.list({ limit: 10 })).map(({ run_id }) => run_id)).toEqual([runId]);
      await expect(deployment.engine.retry(runId, {}, "test")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
      await expect(deployment.submit(JOBLESS, runId)).rejects.toMatchObject({ code: "RUN_REMOVING" });
      const [failed] = await store.queues.queue("shards.default").getFailed();
      await failed?.retry("failed");
      await eventually(async () => (await failed?.getState()) === "failed");
      await deployment.engine.remove(runId, { force: false, actor: "test" });
      expect(await store.removals.end(runId, "died")).toBe(0);
      expect((await keysOf(deployment)).filter((key) => key.includes(runId))).toEqual([]);
      expect(await store.removals.listBegun()).toEqual([]);
    }),
  );

  test(
    "may be cut off anywhere, and leaves nothing when it is repeated",
    { timeout: 40_000 },
    withDeployment(async (deployment, redis) => {
      const runSmall = async (): Promise<string> => (await deployment.run(FAN)).run_id;
      await deployment.engine.remove(await runSmall(), { force: false, actor: "test" });
      const before = await keysOf(deployment);
      const remove = (runId: string) => (engine: RunEngine) => engine.remove(runId, { force: false, actor: "test" });
      const whole = await cutOff(deployment, redis, Number.POSITIVE_INFINITY, remove(await runSmall()));
      expect(await keysOf(deployment)).toEqual(before);
      for (const part of [0.3, 0.7]) {
        const runId = await runSmall();
        await cutOff(deployment, redis, Math.floor(whole * part), remove(runId));
        expect((await deployment.store.runs.list({ limit: 10 })).map(({ run_id }) => run_id)).toEqual([runId]);
        await deployment.engine.remove(runId, { force: false, actor: "test" });
        expect(await keysOf(deployment)).toEqual(before);
      }
    }),
  );
});
