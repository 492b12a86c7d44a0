import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs, peakRssMb } from "../setup/process-figures.mjs";
import { connect, readInfo } from "../setup/redis-figures.mjs";

const WORKERS = 10;
/** Time that is watched: a sweep comes every 15 s. */
const WATCHED_MS = 30_000;
/** Time for what comes with a start, in ms. */
const SETTLING_MS = 3_000;

/** What a deployment costs that has nothing to do. */
export function s5(workers = WORKERS) {
  return [
    {
      id: `S5:${workers}`,
      title: `idle: one scheduler and ${workers} workers`,
      isScaleRun: true,
      prepare: (bench) => prepareIdle(bench, workers),
    },
  ];
}

async function prepareIdle(bench, workers) {
  await bench.startScheduler();
  for (let i = 0; i < workers; i += 1) await bench.startWorkers({ workers: 1 });
  const redis = connect(bench);
  return {
    async fanfold() {
      await sleep(SETTLING_MS);
      const [before, calls] = [await readInfo(redis), await commandCalls(redis)];
      const busy = new Map(bench.processes.map(({ child }) => [child.pid, cpuMs(child.pid)]));
      await sleep(WATCHED_MS);
      const [after, callsAfter] = [await readInfo(redis), await commandCalls(redis)];
      const sec = WATCHED_MS / 1_000;
      const percentOf = (role) => {
        const pids = bench.processes.filter((one) => one.role === role).map(({ child }) => child.pid);
        const ms = pids.reduce((sum, pid) => sum + cpuMs(pid) - busy.get(pid), 0);
        return (100 * ms) / WATCHED_MS / pids.length;
      };
      const redisSec = ["used_cpu_user", "used_cpu_sys"].reduce((sum, key) => sum + after[key] - before[key], 0);
      const grown = Object.entries(callsAfter).map(([name, count]) => [name, (count - (calls[name] ?? 0)) / sec]);
      return {
        figures: {
          commands_per_sec: (after.total_commands_processed - before.total_commands_processed) / sec,
          redis_cpu_percent: (100 * redisSec) / sec,
          scheduler_cpu_percent: percentOf("scheduler"),
          each_worker_cpu_percent: percentOf("worker"),
          scheduler_rss_mb: Math.max(...rssOf(bench, "scheduler")),
          each_worker_rss_mb: Math.max(...rssOf(bench, "worker")),
          connections: after.connected_clients - 1,
        },
        notes: {
          commands_per_sec: Object.fromEntries(
            grown.filter(([, rate]) => rate >= 0.1).toSorted(([, a], [, b]) => b - a),
          ),
        },
      };
    },
  };
}

function rssOf({ processes }, role) {
  return processes.filter((one) => one.role === role).map(({ child }) => peakRssMb(child.pid));
}

/** Command → calls so far, those inside of scripts included. */
async function commandCalls(redis) {
  const text = await redis.info("commandstats");
  return Object.fromEntries(
    [...text.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)].map(([, name, count]) => [name, Number(count)]),
  );
}
