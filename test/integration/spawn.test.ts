import { writeFile } from "node:fs/promises";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import {
  ask,
  childrenOf,
  failuresOf,
  onlyChild,
  outputOf,
  shortId,
  spawnOnce,
  spawnPlan,
  statuses,
} from "./spawn-plan.ts";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const SPAWN_TWICE = `
if [ "$FANFOLD_SPAWN_ROUND" -lt 2 ]; then
  echo "{\\"type\\":\\"spawn\\",\\"phase\\":\\"dev\\",\\"key\\":\\"round-$FANFOLD_SPAWN_ROUND\\",\\"variables\\":{\\"ROUND\\":\\"$FANFOLD_SPAWN_ROUND\\"}}" >> "$FANFOLD_EVENTS"
else
  echo "green in attempt $FANFOLD_ATTEMPT after $(ls "$FANFOLD_SPAWNED" | tr '\\n' ' ')" > "$FANFOLD_OUTPUT"
fi`;

describe("a phase that spawns", () => {
  test(
    "waits for what it spawned, and runs again until it spawns nothing more",
    withDeployment(async (deployment) => {
      const run = await deployment.run(spawnPlan(SPAWN_TWICE));
      expect(run.status).toBe("succeeded");
      expect(await outputOf(deployment, run.run_id, "ship")).toBe("green in attempt 3 after round-0 round-1");
      const children = await childrenOf(deployment, run.run_id);
      expect(children.map(shortId)).toEqual(["dev[spawned=round-0]", "dev[spawned=round-1]"]);
      expect(JSON.parse(await outputOf(deployment, run.run_id, children[1] ?? ""))).toEqual({
        key: "round-1",
        depth: 1,
        variables: { ROUND: "1" },
        regression_context: { requested_by: "test" },
        spawner: { phase: "test", revision: 1, shard: 0, attempt: 2 },
      });
      const events = (await deployment.journal(run.run_id)).filter(({ event }) => /spawned|resumed/.test(event));
      expect(events.map(({ event, phase }) => `${event} ${phase}`)).toEqual([
        "shard_spawned test",
        `phase_spawned ${children[0]}`,
        "shard_resumed test",
        "shard_spawned test",
        `phase_spawned ${children[1]}`,
        "shard_resumed test",
      ]);
      const shard = await deployment.store.ledger.findShard(run.run_id, { phase: "test", revision: 1, shard: 0 });
      expect(shard?.tries ?? 0).toBe(0);
      expect(shard?.history?.map(({ status }) => status)).toEqual(["spawned", "spawned"]);
      const given = (await deployment.store.consumptions.load(run.run_id)).filter(({ phase }) => phase === "test");
      const sources = given.map(({ consumption }) => consumption.artifacts.map(({ phase }) => phase));
      expect(sources.sort((a, b) => a.length - b.length)).toEqual([[children[0]], children]);
    }),
  );

  test(
    "holds no slot meanwhile, not even the only one of its run; its children see what its plan's phases made",
    withDeployment(async (deployment) => {
      const script = `if [ "$FANFOLD_SPAWN_ROUND" = 0 ]; then ${ask("a")}; ${ask("b")}; else cat "$FANFOLD_SPAWNED"/*/dev; fi`;
      const plan = spawnPlan(script, {
        test: { depends_on: ["spec"], lock: "workshop", concurrency_key: "desk" },
        dev: {
          args: ["-c", 'echo "$FANFOLD_PHASE $(cat "$FANFOLD_ARTIFACTS/spec")"'],
          depends_on: ["spec"],
          consumes: ["spec"],
          lock: "workshop",
          concurrency_key: "desk",
        },
        plan: { globals: { max_concurrency: 1 } },
      });
      if (!("phases" in plan)) throw new Error("no phases");
      plan.phases.unshift({ id: "spec", command: "echo", args: ["blue"] });
      const run = await deployment.run(plan);
      expect(run.status).toBe("succeeded");
      const children = await childrenOf(deployment, run.run_id);
      expect(await outputOf(deployment, run.run_id, "ship")).toBe(children.map((id) => `${id} blue`).join("\n"));
    }),
  );

  test(
    "spawns for each of its shards by itself, and folds what they make in the end",
    withDeployment(async (deployment) => {
      const script = `if grep -q 1 "$FANFOLD_INPUT"; then cat "$FANFOLD_INPUT"; else ${spawnOnce()}; fi`;
      const plan = spawnPlan(script, {
        test: {
          shard: { strategy: "chunk", over: [0, 1, 2], chunk_size: 1 },
          merge: { strategy: "concat" },
        },
        dev: {
          args: ["-c", 'cat "$FANFOLD_INPUT"'],
          shard: { strategy: "chunk", over: [{ n: 1 }, { n: 2 }], chunk_size: 1 },
        },
      });
      const run = await deployment.run(plan);
      expect(run.status).toBe("succeeded");
      expect(await outputOf(deployment, run.run_id, "ship")).toBe("done in attempt 2\n1\ndone in attempt 2");
      expect(await childrenOf(deployment, run.run_id)).toHaveLength(2);
    }),
  );

  test(
    "may be spawned itself; a handler spawns as a command does",
    withDeployment(async (deployment) => {
      await handlers(deployment);
      const plan = spawnPlan("", {
        test: { command: undefined, shell: undefined, handler: "./test.mjs" },
        dev: { command: undefined, args: undefined, handler: "./dev.mjs" },
      });
      const run = await deployment.run(plan);
      expect(await failuresOf(deployment, run.run_id)).toEqual([]);
      expect(await outputOf(deployment, run.run_id, "ship")).toBe(
        "round 1: fixed by deeper (depth 2, it is red, blue)",
      );
      expect((await childrenOf(deployment, run.run_id)).map(shortId)).toEqual([
        "dev[spawned=fix]",
        "dev[spawned=deeper]",
      ]);
    }),
  );

  test(
    "spawns anew when it is run again; what was spawned before stays as it was",
    withDeployment(async (deployment) => {
      const { run_id: runId } = await deployment.run(spawnPlan(spawnOnce()));
      const first = await onlyChild(deployment, runId);
      await deployment.engine.rerun(runId, { phases: ["test"], reach: "downstream" }, "ann");
      await eventually(async () => (await deployment.store.runs.loadPhases(runId)).get("ship")?.revision === 2);
      const [, second = ""] = await childrenOf(deployment, runId);
      const phases = await deployment.store.runs.loadPhases(runId);
      expect([phases.get(first)?.revision, phases.get(second)?.revision]).toEqual([1, 1]);
      expect(JSON.parse(await outputOf(deployment, runId, second))).toMatchObject({ spawner: { revision: 2 } });
    }),
  );

  test(
    "is done again in the next run, also with a cache: what its children make is in no fingerprint",
    withDeployment(async (deployment) => {
      const plan = spawnPlan(spawnOnce(), { test: { cache: true }, dev: { cache: true } });
      for (const runId of ["first", "second"]) {
        await deployment.submit(plan, runId);
        await deployment.ended(runId);
        expect(await outputOf(deployment, runId, "ship")).toBe("done in attempt 2");
        expect(await deployment.story(runId)).not.toContain("shard_reused");
      }
    }),
  );

  test(
    "an attempt that fails has spawned nothing; the next one may",
    withDeployment(async (deployment) => {
      const script = `${spawnOnce()}; test $FANFOLD_ATTEMPT -gt 1`;
      const run = await deployment.run(spawnPlan(script, { test: { retries: 1, retry_delay_sec: 0 } }));
      expect(run.status).toBe("succeeded");
      expect(await outputOf(deployment, run.run_id, "ship")).toBe("done in attempt 3");
      const child = await onlyChild(deployment, run.run_id);
      expect(JSON.parse(await outputOf(deployment, run.run_id, child))).toMatchObject({ spawner: { attempt: 2 } });
    }),
  );
});

async function handlers(deployment: Deployment): Promise<void> {
  await writeFile(
    `${deployment.dir}/test.mjs`,
    `export default async (ctx) => {
      if (ctx.spawned.round > 0) return "round " + ctx.spawned.round + ": " + (await ctx.spawned.artifacts("fix").text("dev"));
      ctx.spawn({ phase: "dev", key: "fix", regression_context: { reason: "it is red" }, prompt: "make it blue" });
    };`,
  );
  await writeFile(
    `${deployment.dir}/dev.mjs`,
    `export default async (ctx) => {
      const { depth, key, regression_context, prompt } = ctx.order;
      if (depth === 2) return \`\${key} (depth \${depth}, \${regression_context.reason}, \${prompt})\`;
      if (ctx.spawned.round > 0) return "fixed by " + (await ctx.spawned.artifacts("deeper").text("dev"));
      ctx.spawn({ phase: "dev", key: "deeper", regression_context, prompt: "blue" });
    };`,
  );
}

describe("what cannot be spawned fails the attempt that asks for it", () => {
  test.each([
    ["a phase that is not there", ask("a", { phase: "devv" }), "SPAWN_INVALID", "the plan has no phase devv"],
    ["one that is not spawnable", ask("a", { phase: "ship" }), "SPAWN_INVALID", "ship is not spawnable"],
    ["without a key", ask("a", { key: undefined }), "SPAWN_INVALID", "key"],
    ["a key that is used twice", `${ask("a")}; ${ask("a", { prompt: "other" })}`, "SPAWN_INVALID", "used before"],
    ["with another prompt of the run", ask("a", { original_prompt: "x" }), "SPAWN_INVALID", "cannot be changed"],
    ["with another value of a variable", ask("a", { variables: { COLOUR: "red" } }), "SPAWN_INVALID", "COLOUR"],
    ["more than it may", `${ask("a")}; ${ask("b")}; ${ask("c")}`, "SPAWN_LIMIT", "max_spawned is 2"],
    ["a line that is no JSON", `echo '{"type":"spawn",' >> $FANFOLD_EVENTS`, "SPAWN_INVALID", "not a JSON object"],
  ])("%s", (_what, script, code, why) =>
    withDeployment(async (deployment) => {
      const plan = spawnPlan(script, {
        test: { max_spawned: 2 },
        plan: { variables: { COLOUR: { default: "blue", required: false } } },
      });
      const run = await deployment.run(plan);
      expect(run.status).toBe("failed");
      expect(await failuresOf(deployment, run.run_id)).toEqual([expect.stringContaining(`test ${code}: `)]);
      expect((await failuresOf(deployment, run.run_id))[0]).toContain(why);
      expect(await childrenOf(deployment, run.run_id)).toEqual([]);
    })(),
  );

  test(
    "a loop without end: its rounds are bounded",
    withDeployment(async (deployment) => {
      const run = await deployment.run(spawnPlan(ask("again"), { test: { max_spawned: 2 } }));
      expect(run.status).toBe("failed");
      expect(await failuresOf(deployment, run.run_id)).toEqual([
        expect.stringContaining("test SPAWN_LIMIT: line 1 of FANFOLD_EVENTS: cannot spawn: it has spawned 2 phases"),
      ]);
      expect((await statuses(deployment, run.run_id))["dev[spawned=again]"]).toBe("succeeded");
    }),
  );

  test(
    "a child of a child, where the bound of the first spawner forbids it",
    withDeployment(async (deployment) => {
      const dev = { command: ask("deeper"), args: [], shell: true, max_spawn_depth: 9 };
      const run = await deployment.run(spawnPlan(spawnOnce(), { test: { max_spawn_depth: 1 }, dev }));
      expect(run.status).toBe("failed");
      expect(await failuresOf(deployment, run.run_id)).toEqual([
        expect.stringContaining(
          "dev[spawned=fix] SPAWN_LIMIT: line 1 of FANFOLD_EVENTS: cannot spawn: its child would be at depth 2",
        ),
        expect.stringContaining("test CHILD_FAILED: dev[spawned=fix."),
      ]);
    }),
  );
});
