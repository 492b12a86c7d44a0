import { compile, measureRun } from "../setup/measure-run.mjs";
import { watchProcesses } from "../setup/process-figures.mjs";
import { connect, nameOf, watchRedis } from "../setup/redis-figures.mjs";
import { scriptNames } from "../setup/script-names.mjs";
import { round } from "../setup/statistics.mjs";
import { chainPlan } from "./chain.mjs";
import { summedPhase } from "./fan-out.mjs";

const SHARDS = 1_000;
const PHASES = 100;

/** What one shard and one phase ask of Redis: commands by name, bytes, and time of its one core. */
export function s6(shards = SHARDS) {
  const phases = Math.max(2, Math.ceil((shards * PHASES) / SHARDS));
  const fan = { plan_id: "fan-out", version: "1", phases: [summedPhase(shards)] };
  return [
    workOf(`S6:${shards}`, `work of Redis for each shard, of ${shards} as in W1`, fan, shards),
    workOf(`S6:${shards}`, `work of Redis for each phase, of ${phases} as in W2`, chainPlan(phases), phases),
  ];
}

function workOf(id, title, plan, count) {
  return { id, title, isScaleRun: true, prepare: (bench) => prepareWork(bench, compile(plan), count) };
}

async function prepareWork(bench, plan, count) {
  const client = await bench.startFanfold();
  const redis = connect(bench);
  return {
    async fanfold() {
      await measureRun(client, plan);
      const [redisWatch, watch] = [await watchRedis(redis), await watchProcesses(bench.processes)];
      const { ms } = await measureRun(client, plan);
      const [load, processes] = [await redisWatch.read(), await watch.read()];
      const sent = await commandsOf(redis, () => measureRun(client, plan));
      return {
        ms,
        figures: {
          sent_commands: sent.total / count,
          commands_with_those_in_scripts: load.commands / count,
          reads_of_redis: load.reads / count,
          to_redis_bytes: load.inBytes / count,
          from_redis_bytes: load.outBytes / count,
          append_only_file_bytes: load.fileBytes / count,
          redis_cpu_us: (1_000 * load.cpuMs) / count,
          worker_cpu_us: (1_000 * processes.worker.cpuMs) / count,
          scheduler_cpu_us: (1_000 * processes.scheduler.cpuMs) / count,
        },
        notes: {
          sent_by_name: Object.fromEntries(
            [...sent.byName]
              .map(([name, calls]) => [name, round(calls / count)])
              .filter(([, calls]) => calls >= 0.01)
              .toSorted(([, a], [, b]) => b - a),
          ),
        },
      };
    },
  };
}

/** The commands that clients sent while something was done, by name; what scripts call does not count. */
async function commandsOf(redis, action) {
  const names = await scriptNames();
  const byName = new Map();
  let total = 0;
  const monitor = await redis.monitor();
  monitor.on("monitor", (_time, args, source) => {
    const name = source === "lua" ? undefined : nameOf(args, names);
    if (name === undefined) return;
    total += 1;
    byName.set(name, (byName.get(name) ?? 0) + 1);
  });
  await action();
  monitor.disconnect();
  return { byName, total };
}
