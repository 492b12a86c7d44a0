import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RunEngine } from "@fanfold/engine";
import { connectRedis, FileArtifactStore, openStore } from "@fanfold/store";
import { startRedis } from "@fanfold/testkit";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FANFOLD = fileURLToPath(new URL("../../packages/cli/bin/fanfold.js", import.meta.url));
const PROBE = ["--import", join(ROOT, "setup/probe.mjs")];
/** End of a process's output that an error shows, in characters. */
const SHOWN_CHARS = 2_000;

/**
 * A Redis, a directory and processes of one measurement; all of it is gone after `close`. Every process ends with the
 * benchmark, however that ends.
 */
export async function openBench() {
  const redis = await startRedis();
  const dir = await mkdtemp(join(tmpdir(), "fanfold-bench-"));
  const processes = [];
  const cleanups = [];

  async function start(role, args, options) {
    const child = await startNode(args, { ...options, redisUrl: redis.url, dir });
    processes.push({ role, child: child.child });
    return child;
  }

  async function startScheduler() {
    await start("scheduler", [FANFOLD, "scheduler", "--workspace", ROOT], { ready: /scheduler ready/ });
  }

  async function startWorkers({ workers = 2, concurrency = 10, pool = "default", env = {} } = {}) {
    const args = [FANFOLD, "worker", "--pool", pool, "--concurrency", String(concurrency), "--workspace", ROOT];
    const nodeArgs = env.BENCH_BALLAST_MB === undefined ? [] : ["--import", join(ROOT, "setup/ballast.mjs")];
    const one = () => start("worker", [...nodeArgs, ...args], { ready: /worker ready/, env });
    await Promise.all(Array.from({ length: workers }, one));
  }

  /** What a client of the deployment has: its store and engine, in this process. */
  async function openClient() {
    const store = openStore(await connectRedis({ url: redis.url }), new FileArtifactStore(`${dir}/artifacts`));
    cleanups.push(() => store.close());
    return { store, engine: new RunEngine(store) };
  }

  return {
    redis,
    dir,
    /** What was started, in that order: `{ role, child }`. */
    processes,
    startNode: (args, options) => start("raw", args, options),
    startScheduler,
    startWorkers,
    openClient,
    /** One scheduler and two workers: each a process of its own, as in a deployment. */
    async startFanfold(workers) {
      await startScheduler();
      await startWorkers(workers);
      return openClient();
    },
    /** A dashboard, a process of its own. @returns its address */
    async startDashboard() {
      const { said } = await start("dashboard", [FANFOLD, "dashboard", "--port", "0"], { ready: /^http:\S+$/m });
      return /^http:\S+$/m.exec(said)[0];
    },
    /** Runs before Redis goes. */
    onClose: (cleanup) => cleanups.push(cleanup),
    async close() {
      for (const cleanup of cleanups) await cleanup();
      await Promise.all(processes.map(({ child }) => end(child)));
      await redis.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Starts a Node process and waits until it says it is ready. What it says later is read and dropped. */
async function startNode(args, { ready, env = {}, redisUrl, dir }) {
  const child = spawn(process.execPath, [...PROBE, ...args], {
    cwd: ROOT,
    env: { ...process.env, REDIS_URL: redisUrl, FANFOLD_ARTIFACTS: `file:${dir}/artifacts`, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let said = "";
  await new Promise((resolve, reject) => {
    const take = (chunk) => {
      said += chunk;
      if (ready.test(said)) resolve();
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", take);
    child.once("exit", () => reject(new Error(`${args.join(" ")} ended: ${said.slice(-SHOWN_CHARS)}`)));
  });
  for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners("data").resume();
  child.removeAllListeners("exit").once("exit", () => {
    throw new Error(`${args.join(" ")} ended in the middle of a measurement`);
  });
  return { child, said };
}

async function end(child) {
  child.removeAllListeners("exit");
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
