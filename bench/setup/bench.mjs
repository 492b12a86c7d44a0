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

/** A Redis, a directory and processes of one measurement; all of it is gone after `close`. */
export async function openBench() {
  const redis = await startRedis();
  const dir = await mkdtemp(join(tmpdir(), "fanfold-bench-"));
  const children = [];

  /** Starts a Node process and waits until it says it is ready. */
  async function startNode(args, { ready, env = {} }) {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, REDIS_URL: redis.url, FANFOLD_ARTIFACTS: `file:${dir}/artifacts`, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    let text = "";
    await new Promise((resolve, reject) => {
      const take = (chunk) => {
        text += chunk;
        if (ready.test(text)) resolve();
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.once("exit", () => reject(new Error(`${args.join(" ")} ended: ${text.slice(-2_000)}`)));
    });
    return { child, said: text };
  }

  const cleanups = [];
  return {
    redis,
    dir,
    startNode,
    /** One scheduler and two workers: each a process of its own, as in a deployment. */
    async startFanfold({ workers = 2, concurrency = 10, env = {} } = {}) {
      const flags = ["--workspace", ROOT];
      await startNode([FANFOLD, "scheduler", ...flags], { ready: /scheduler ready/ });
      const args = ["worker", "--concurrency", String(concurrency), ...flags];
      const nodeArgs = env.BENCH_BALLAST_MB === undefined ? [] : ["--import", join(ROOT, "setup/ballast.mjs")];
      await Promise.all(
        Array.from({ length: workers }, () =>
          startNode([...nodeArgs, FANFOLD, ...args], { ready: /worker ready/, env }),
        ),
      );
      const artifacts = new FileArtifactStore(`${dir}/artifacts`);
      const store = openStore(await connectRedis({ url: redis.url }), artifacts);
      cleanups.push(() => store.close());
      return { store, engine: new RunEngine(store) };
    },
    /** A dashboard, a process of its own. @returns its address */
    async startDashboard() {
      const args = [FANFOLD, "dashboard", "--port", "0"];
      const { said } = await startNode(args, { ready: /^http:\S+$/m });
      return /^http:\S+$/m.exec(said)[0];
    },
    /** Runs before Redis goes. */
    onClose: (cleanup) => cleanups.push(cleanup),
    async close() {
      for (const cleanup of cleanups) await cleanup();
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill("SIGKILL");
          await once(child, "exit");
        }),
      );
      await redis.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
