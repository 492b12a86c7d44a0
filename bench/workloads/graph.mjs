import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compilePlanText, formatProblem } from "@fanfold/core";
import { openRaw } from "../setup/raw.mjs";
import { compile, timeRun } from "../setup/measure-run.mjs";

const FANFOLD = fileURLToPath(new URL("../../packages/cli/bin/fanfold.js", import.meta.url));

/** Every phase of a layer waits for every phase of the one before. */
export const w3 = [
  {
    id: "W3",
    title: "20 layers × 10 phases, all to all (1,900 edges)",
    must: { ratio: 1.4 },
    aim: { ratio: 0.55 },
    ...graphRun(layered(20, 10)),
  },
];

export const w7 = [
  {
    id: "W7:run",
    title: "2,000 phases, 6,000 edges",
    must: { ratio: 2 },
    aim: { ratio: 1 },
    ...graphRun(sparse(2_000, 3)),
  },
  {
    id: "W7:load",
    title: "read, check and compile 10,000 phases, from JSON",
    must: { ms: 1_000 },
    prepare: prepareLoad,
  },
];

function graphRun(graph) {
  return {
    baseline: "bullmq",
    async prepare(bench) {
      const fanfold = await bench.startFanfold();
      const raw = await openRaw(bench, { layers: "layer" });
      const plan = compile(planOf(graph));
      return {
        fanfold: () => timeRun(fanfold, plan),
        bullmq: (round) => runRaw(raw, graph, `${round}`),
      };
    },
  };
}

/** The text of a plan becomes one that is ready to run: in this process, and as a person sees it from the shell. */
async function prepareLoad({ dir }) {
  const plan = planOf(sparse(10_000, 3));
  const file = join(dir, "plan.json");
  await writeFile(file, JSON.stringify(plan));
  const yaml = Object.entries(plan).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
  yaml[yaml.length - 1] = `phases:\n${plan.phases.map((phase) => yamlOf(phase)).join("")}`;
  return {
    fanfold: async () => load({ text: JSON.stringify(plan), file: "plan.json" }),
    yaml: async () => load({ text: yaml.join(""), file: "plan.yaml" }),
    async "fanfold validate"() {
      const startedAt = performance.now();
      const [code] = await once(
        spawn(process.execPath, [FANFOLD, "validate", file, "--workspace", dir], { stdio: "ignore" }),
        "close",
      );
      if (code !== 0) throw new Error(`validate ended with ${code}`);
      return { ms: performance.now() - startedAt };
    },
  };
}

function yamlOf({ id, handler, depends_on }) {
  return `  - id: ${id}\n    handler: ${handler}\n    depends_on: [${depends_on.join(", ")}]\n`;
}

function load(source) {
  const startedAt = performance.now();
  const result = compilePlanText(source, { baseDir: "." });
  if (!result.ok) throw new Error(formatProblem(result.problems[0]));
  return { ms: performance.now() - startedAt };
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
  const done = new Promise((resolve) => {
    let left = leaves.length;
    subscriber.on("message", () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
  const startedAt = performance.now();
  await redis.set(`raw:graph:${run}`, JSON.stringify(dependents));
  await redis.hset(`raw:pending:${run}`, pending);
  await queue("layers").addBulk(roots.map((id) => ({ name: id, data: { run, dependents: dependents[id] } })));
  await done;
  const ms = performance.now() - startedAt;
  subscriber.disconnect();
  return { ms };
}
