import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { watchProcesses } from "../setup/process-figures.mjs";
import { scalePlan, untilPhaseSucceeded, untilShardsSucceeded } from "../setup/scale-plan.mjs";

const SHARDS = 10_000;
const SHARD_BYTES = 100_000;
const BYTES_PER_MB = 1_000_000;
const run = promisify(execFile);

/** Much output: the fold reads, checks, joins, hashes and writes what the shards gave. */
export function s4(shards = SHARDS) {
  return [
    {
      id: `S4:${shards}`,
      title: `${shards} shards × ${SHARD_BYTES / 1_000} kB, joined; beside \`cat\` of the same files`,
      isScaleRun: true,
      must: { fold_worker_peak_mb: 300 },
      prepare: (bench) => prepareOutput(bench, shards),
    },
  ];
}

async function prepareOutput(bench, shards) {
  const client = await bench.startFanfold();
  const mb = (shards * SHARD_BYTES) / BYTES_PER_MB;
  return {
    async fanfold() {
      const plan = scalePlan(shards, { handler: "handlers/bulk.mjs", env: { BYTES: String(SHARD_BYTES) } });
      const { runId } = await client.engine.submit(plan);
      await untilPhaseSucceeded(client, runId, "make");
      const startedAt = performance.now();
      await untilShardsSucceeded(client, runId, "fan", shards);
      const shardsSec = (performance.now() - startedAt) / 1_000;
      const watch = await watchProcesses(bench.processes);
      const foldStartedAt = performance.now();
      await untilPhaseSucceeded(client, runId, "fan");
      const foldSec = (performance.now() - foldStartedAt) / 1_000;
      const { worker } = await watch.read();
      return {
        figures: {
          shards_mb_per_sec: mb / shardsSec,
          fold_mb_per_sec: mb / foldSec,
          fold_worker_peak_mb: worker.peakRssMb,
          fold_worker_stall_ms: worker.stallMaxMs,
        },
      };
    },
    cat: () => joinFiles(bench.dir, mb, ""),
    "cat, synced": () => joinFiles(bench.dir, mb, " && sync joined"),
    "cat and sha256": () => joinFiles(bench.dir, mb, " && sha256sum joined && sync joined"),
  };
}

/** The shards' outputs, one file each, into one file beside them. */
async function joinFiles(dir, mb, after) {
  const find = `find ${join(dir, "artifacts/sha256")} -type f -size ${Math.ceil(SHARD_BYTES / 512)} -print0`;
  const startedAt = performance.now();
  await run("sh", ["-c", `${find} | xargs -0 cat > joined${after}`], { cwd: dir });
  const sec = (performance.now() - startedAt) / 1_000;
  await run("rm", [join(dir, "joined")]);
  return { figures: { mb_per_sec: mb / sec } };
}
