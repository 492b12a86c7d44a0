import { once } from "node:events";
import { compilePlanValue } from "@fanfold/core";
import { openRaw } from "../setup/raw.mjs";
import { compile, measureRun } from "../setup/measure-run.mjs";

/** Every phase of a layer waits for every phase of the one before. */
export const w3 = [
  graphWorkload("W3", "20 layers × 10 phases, all to all (1,900 edges)", layered(20, 10), ["≤ 1.4", "≤ 0.55"]),
];

const WIDE = sparse(2_000, 3);

export const w7 = [
  graphWorkload("W7 run", "2,000 phases, 6,000 edges", WIDE, ["≤ 2", "≤ 1"]),
  {
    id: "W7 load",
    title: "check and compile 10,000 phases",
    baseline: undefined,
    must: "≤ 1 s",
    prepare: async () => {
      const plan = planOf(sparse(10_000, 3));
      return {
        async fanfold() {
          const startedAt = performance.now();
          const result = compilePlanValue(plan, { baseDir: "." });
          if (!result.ok) throw new Error("the plan is not valid");
          return { ms: performance.now() - startedAt };
        },
      };
    },
  },
];

function graphWorkload(id, title, graph, [must, aim]) {
  return {
    id,
    title,
    baseline: "bullmq",
    must,
    aim,
    async prepare(bench) {
      const fanfold = await bench.startFanfold();
      const raw = await openRaw(bench, { layers: "layer" });
      const plan = compile(planOf(graph));
      return {
        fanfold: () => measureRun(fanfold, plan),
        bullmq: (round) => runRaw(raw, graph, `${round}`),
      };
    },
  };
}

/** Phase → phases it waits for. */
function layered(layers, width) {
  const ids = (layer) => Array.from({ length: width }, (_, i) => `l${layer}_${i}`);
  return Object.fromEntries(
    Array.from({ length: layers }, (_, layer) =>
      ids(layer).map((id) => [id, layer === 0 ? [] : ids(layer - 1)]),
    ).flat(),
  );
}

/** Each phase waits for some of the fifty before it, always the same ones. */
function sparse(count, edges) {
  const graph = {};
  for (let i = 0; i < count; i += 1) {
    const wanted = Array.from({ length: edges }, (_, k) => i - 1 - ((i * 7 + k * 13) % 50)).filter((n) => n >= 0);
    graph[`p${i}`] = [...new Set(wanted)].map((n) => `p${n}`);
  }
  return graph;
}

function planOf(graph) {
  const phases = Object.entries(graph).map(([id, depends_on]) => ({ id, handler: "handlers/none.mjs", depends_on }));
  return { plan_id: "graph", version: "1", phases };
}

/** The minimal thing one would write by hand: a counter for each phase in Redis, and a queue. */
async function runRaw({ redis, queue }, graph, run) {
  const dependents = Object.fromEntries(Object.keys(graph).map((id) => [id, []]));
  for (const [id, dependencies] of Object.entries(graph)) for (const from of dependencies) dependents[from].push(id);
  const pending = Object.fromEntries(Object.entries(graph).map(([id, list]) => [id, list.length]));
  const roots = Object.keys(graph).filter((id) => pending[id] === 0);
  const leaves = Object.keys(graph).filter((id) => dependents[id].length === 0);
  const subscriber = redis.duplicate();
  await subscriber.subscribe(`raw:done:${run}`);
  const startedAt = performance.now();
  await redis.set(`raw:graph:${run}`, JSON.stringify(dependents));
  await redis.hset(`raw:pending:${run}`, pending);
  await queue("layers").addBulk(roots.map((id) => ({ name: id, data: { run, dependents: dependents[id] } })));
  for (let done = 0; done < leaves.length; done += 1) await once(subscriber, "message");
  const ms = performance.now() - startedAt;
  subscriber.disconnect();
  return { ms };
}
