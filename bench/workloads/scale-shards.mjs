import { watchProcesses } from "../setup/process-figures.mjs";
import { connect, watchRedis } from "../setup/redis-figures.mjs";
import { scalePlan, until, untilPhaseSucceeded, untilShardsSucceeded } from "../setup/scale-plan.mjs";

const SHARDS = 1_000_000;
/** Shards at once: two workers of as many as half of it. */
const CAP = 64;
/** Most shards of the run that the large one is compared with. */
const REFERENCE_SHARDS = 10_000;

/** One phase of very many no-op shards: what it takes of memory, and whether anything grows with it. */
export function s1(shards = SHARDS) {
  const reference = Math.min(REFERENCE_SHARDS, Math.ceil(shards / 10));
  return [
    {
      id: `S1:${shards}`,
      title: `one phase of ${shards} no-op shards, ${CAP} at once, beside one of ${reference}`,
      isScaleRun: true,
      must: {
        redis_peak_mb: 400,
        scheduler_peak_mb: 300,
        worker_peak_mb: 300,
        fold_worker_peak_mb: 300,
        shard_time_ratio: 1.3,
        redis_slowest_command_ms: 20,
        removal_slowest_command_ms: 20,
        scheduler_stall_ms: 50,
        worker_stall_ms: 50,
      },
      prepare: (bench) => prepareShards(bench, shards, reference),
    },
  ];
}

async function prepareShards(bench, shards, reference) {
  const fanfold = await bench.startFanfold({ workers: 2, concurrency: CAP / 2 });
  const redis = connect(bench);
  const measure = (count) => measurePhase({ ...fanfold, bench, redis }, count);
  return {
    async fanfold() {
      const small = await measure(Math.ceil(reference / 10)); // warms up
      await fanfold.engine.remove(small.runId, { force: false, actor: "bench" });
      const before = await measure(reference);
      await fanfold.engine.remove(before.runId, { force: false, actor: "bench" });
      const { runId, figures, notes } = await measure(shards);
      const removal = await measureRemoval({ ...fanfold, redis }, runId);
      const ratio = figures.us_per_shard / before.figures.us_per_shard;
      const { us_per_shard, ...others } = figures;
      return {
        figures: {
          per_shard_us: us_per_shard,
          reference_per_shard_us: before.figures.us_per_shard,
          shard_time_ratio: ratio,
          reference_worker_held_mb: before.figures.worker_held_mb,
          ...others,
          ...removal.figures,
        },
        notes: { ...notes, ...removal.notes },
      };
    },
  };
}

/**
 * Runs the phase after another that makes its records. What is measured begins when the phase does, with cutting its
 * records, and is told apart for the shards and for folding them.
 */
async function measurePhase({ engine, store, bench, redis }, count) {
  const client = { engine, store };
  const { runId } = await engine.submit(scalePlan(count, { max_parallel: CAP }));
  await untilPhaseSucceeded(client, runId, "make");
  const [redisWatch, opened] = [await watchRedis(redis), await watchProcesses(bench.processes)];
  const beganAt = performance.now();
  await until(async () => (await store.ledger.findPhase(runId, "fan")) !== undefined);
  const openedMs = performance.now() - beganAt;
  await untilShardsSucceeded(client, runId, "fan", count);
  const shardsMs = performance.now() - beganAt - openedMs;
  const during = await opened.read();
  const fold = await watchProcesses(bench.processes);
  await untilPhaseSucceeded(client, runId, "fan");
  const foldMs = performance.now() - beganAt - openedMs - shardsMs;
  const folding = await fold.read();
  const load = await redisWatch.read();
  return {
    runId,
    figures: {
      us_per_shard: (1_000 * shardsMs) / count,
      shards_per_sec: (1_000 * count) / shardsMs,
      open_ms: openedMs,
      fold_ms: foldMs,
      redis_peak_mb: load.peakMb,
      redis_used_mb: load.usedMb,
      redis_cpu_per_shard_us: (1_000 * load.cpuMs) / count,
      redis_slowest_command_ms: load.slowestMs,
      scheduler_peak_mb: during.scheduler.peakRssMb,
      worker_peak_mb: during.worker.peakRssMb,
      fold_worker_peak_mb: folding.worker.peakRssMb,
      scheduler_held_mb: during.scheduler.heldMb,
      worker_held_mb: during.worker.heldMb,
      scheduler_stall_ms: Math.max(during.scheduler.stallMaxMs, folding.scheduler.stallMaxMs),
      worker_stall_ms: during.worker.stallMaxMs,
      fold_worker_stall_ms: folding.worker.stallMaxMs,
      worker_cpu_per_shard_us: (1_000 * during.worker.cpuMs) / count,
      scheduler_cpu_per_shard_us: (1_000 * during.scheduler.cpuMs) / count,
    },
    notes: { slowest: load.slowest.slice(0, 8), server_events_ms: load.events },
  };
}

/** What it takes of Redis to remove a run. */
async function measureRemoval({ engine, redis }, runId) {
  const watch = await watchRedis(redis);
  const startedAt = performance.now();
  await engine.remove(runId, { force: false, actor: "bench" });
  const removal_ms = performance.now() - startedAt;
  const { slowest, slowestMs } = await watch.read();
  return {
    figures: { removal_ms, removal_slowest_command_ms: slowestMs },
    notes: { slowest_of_removal: slowest.slice(0, 4) },
  };
}
