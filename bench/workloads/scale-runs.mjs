import { compile } from "../setup/measure-run.mjs";
import { watchProcesses } from "../setup/process-figures.mjs";
import { connect, watchRedis } from "../setup/redis-figures.mjs";
import { until } from "../setup/scale-plan.mjs";
import { percentilesOf } from "../setup/statistics.mjs";

const HISTORY = 10_000;
/** Runs after which the latencies are taken first. */
const FEW = 100;
const SHARDS = 10;
/** Requests of each kind; as many submits leave as many more runs. */
const SAMPLES = 100;
/** Submits under way at once. */
const SUBMITTERS = 50;

/** Very many runs: at once, and kept. */
export function s3(history = HISTORY) {
  const atOnce = Math.max(1, Math.ceil(history / 10));
  return [
    {
      id: `S3:${history}`,
      title: `${atOnce} runs of ${SHARDS} shards at once; list, status and submit with ${history} runs kept`,
      isScaleRun: true,
      prepare: (bench) => prepareRuns(bench, { history, atOnce }),
    },
  ];
}

async function prepareRuns(bench, { history, atOnce }) {
  const client = await bench.startFanfold();
  const url = `${await bench.startDashboard()}/api/v1`;
  const redis = connect(bench);
  const small = compile({ plan_id: "one", version: "1", phases: [{ id: "a", handler: "handlers/none.mjs" }] });
  const over = Array.from({ length: SHARDS }, (_, n) => ({ n }));
  const shard = { strategy: "chunk", over, chunk_size: 1 };
  const fan = { id: "fan", handler: "handlers/index.mjs", shard, merge: { strategy: "concat" } };
  const fanned = compile({ plan_id: "ten", version: "1", phases: [fan] });
  const measure = (when) => latencies({ ...client, url }, small, when);
  return {
    async fanfold() {
      await runMany(client, small, FEW);
      const few = await measure(`with_${FEW}`);
      const [redisWatch, watch] = [await watchRedis(redis), await watchProcesses(bench.processes)];
      const startedAt = performance.now();
      await runMany(client, fanned, atOnce);
      const sec = (performance.now() - startedAt) / 1_000;
      const [load, processes] = [await redisWatch.read(), await watch.read()];
      await runMany(client, small, Math.max(0, history - (await client.store.index.count())));
      const many = await measure(`with_${history}`);
      return {
        figures: {
          runs_at_once_s: sec,
          runs_per_sec: atOnce / sec,
          redis_slowest_command_ms: load.slowestMs,
          scheduler_stall_ms: processes.scheduler.stallMaxMs,
          scheduler_peak_mb: processes.scheduler.peakRssMb,
          worker_peak_mb: processes.worker.peakRssMb,
          ...few,
          ...many,
        },
        notes: { slowest: load.slowest.slice(0, 8), runs_kept: await client.store.index.count() },
      };
    },
  };
}

/** Submits runs side by side and waits until all of them are over. */
async function runMany({ engine, store }, plan, count) {
  let left = count;
  const submit = async () => {
    while (left > 0) {
      left -= 1;
      await engine.submit(plan);
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submit));
  await until(async () => (await store.runs.listLive()).length === 0);
}

/** One after the other on an idle system: the first page of the list, a run's status, and a submit. */
async function latencies({ engine, store, url }, plan, when) {
  const times = { list: [], status: [], submit: [] };
  const timed = async (kind, action) => {
    const startedAt = performance.now();
    await action();
    times[kind].push(performance.now() - startedAt);
  };
  for (let i = 0; i < SAMPLES; i += 1) {
    let runId;
    await timed("submit", async () => {
      ({ runId } = await engine.submit(plan));
    });
    await until(async () => (await store.runs.get(runId)).finished_at_ms !== null);
    await timed("list", () => read(`${url}/runs`));
    await timed("status", () => read(`${url}/runs/${runId}`));
  }
  const figures = Object.entries(times).map(([kind, values]) => percentilesOf(`${kind}_${when}_runs`, values));
  return Object.assign({}, ...figures);
}

async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  await answer.text();
}
