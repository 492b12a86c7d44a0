import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";

let layers;

/** What bare BullMQ workers do with a job, by the name a workload gives them. */
export const processors = {
  index: async (job) => job.data.index,
  wait: () => sleep(20),
  async sum(job) {
    const values = await job.getChildrenValues();
    return Object.values(values).reduce((sum, value) => sum + value, 0);
  },
  none: async () => 0,
  async spawn(job) {
    const child = spawn(job.data.command, job.data.args, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.resume();
    child.stderr.resume();
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`exit ${code}`);
  },
  /** A phase of a layered graph: counts down what waits for it, and adds what is now free. */
  async layer(job, redis) {
    const { dependents, run } = job.data;
    const counts = await Promise.all(dependents.map((id) => redis.hincrby(`raw:pending:${run}`, id, -1)));
    const ready = dependents.filter((_, i) => counts[i] === 0);
    layers ??= new Queue("layers", { connection: redis, prefix: "raw" });
    const graph = await loadGraph(redis, run);
    await layers.addBulk(ready.map((id) => ({ name: id, data: { run, dependents: graph[id] } })));
    if (dependents.length === 0) await redis.publish(`raw:done:${run}`, job.name);
  },
};

const graphs = new Map();

async function loadGraph(redis, run) {
  if (!graphs.has(run)) graphs.set(run, JSON.parse(await redis.get(`raw:graph:${run}`)));
  return graphs.get(run);
}
