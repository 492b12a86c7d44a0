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
  /** A phase of a graph: one script counts down what waits for it, and what is now free goes on the queue. */
  async layer(job, redis) {
    const { dependents, run } = job.data;
    layers ??= new Queue("layers", { connection: redis, prefix: "raw" });
    if (dependents.length === 0) {
      await redis.publish(`raw:done:${run}`, job.name);
      return;
    }
    const ready = await redis.countDown(`raw:pending:${run}`, ...dependents);
    if (ready.length === 0) return;
    const graph = await loadGraph(redis, run);
    await layers.addBulk(ready.map((id) => ({ name: id, data: { run, dependents: graph[id] } })));
  },
};

/** Commands that a worker's connection needs for its processors. */
export const scripts = {
  /** KEYS[1] phase → phases it still waits for. ARGV: phases that wait for one less. Returns those that wait for none. */
  countDown: {
    numberOfKeys: 1,
    lua: `
      local ready = {}
      for _, id in ipairs(ARGV) do
        if redis.call("HINCRBY", KEYS[1], id, -1) == 0 then ready[#ready + 1] = id end
      end
      return ready`,
  },
};

const graphs = new Map();

async function loadGraph(redis, run) {
  if (!graphs.has(run)) graphs.set(run, JSON.parse(await redis.get(`raw:graph:${run}`)));
  return graphs.get(run);
}
