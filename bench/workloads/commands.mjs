import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRaw, untilCompleted } from "../setup/raw.mjs";
import { compile, measureRun } from "../setup/measure-run.mjs";

const COUNT = 200;
/** Commands at once: two workers of four. */
const SLOTS = 8;

/** Commands: what starting a process costs, from a small worker and from one that holds a gigabyte. */
export const w4 = [
  ...[0, 1_024].map((ballastMb) => ({
    id: ballastMb === 0 ? "W4 small" : "W4 1 GB",
    title: `${COUNT} × /bin/true, ${ballastMb === 0 ? "small workers" : "workers of 1 GB"}`,
    baseline: "bullmq",
    must: "≤ 0.75",
    aim: "≤ 0.50",
    prepare: (bench) => prepareCommands(bench, ballastMb),
  })),
  ...[
    [4, "≤ 1.031 (97 %)"],
    [8, "≤ 1.064 (94 %)"],
  ].map(([concurrency, must]) => ({
    id: `W4 sleep ${concurrency}`,
    title: `8 × sleep 0.5, ${concurrency} at once`,
    baseline: "ideal",
    must,
    prepare: (bench) => prepareSleeps(bench, concurrency),
  })),
];

async function prepareCommands(bench, ballastMb) {
  const env = ballastMb === 0 ? {} : { BENCH_BALLAST_MB: String(ballastMb) };
  const fanfold = await bench.startFanfold({ concurrency: SLOTS / 2, env });
  const nodeOptions = ballastMb === 0 ? {} : { NODE_OPTIONS: "--import ./setup/ballast.mjs" };
  const raw = await openRaw(bench, { commands: "spawn" }, { concurrency: SLOTS / 2, env: { ...env, ...nodeOptions } });
  const events = await raw.eventsOf("commands");
  const queue = raw.queue("commands");
  const makefile = join(bench.dir, "Makefile");
  const targets = Array.from({ length: COUNT }, (_, i) => `t${i}`);
  await writeFile(makefile, `all: ${targets.join(" ")}\n${targets.map((t) => `${t}:\n\t@/bin/true\n`).join("")}`);
  const plan = compile({ plan_id: "commands", version: "1", phases: [commandPhase(COUNT, "/bin/true", [])] });
  return {
    fanfold: () => measureRun(fanfold, plan),
    async bullmq() {
      const { done } = await untilCompleted(events, COUNT);
      const startedAt = performance.now();
      const data = { command: "/bin/true", args: [] };
      await queue.addBulk(targets.map((name) => ({ name, data, opts: { removeOnComplete: true } })));
      await done;
      return { ms: performance.now() - startedAt };
    },
    "node spawn": () => timed(() => spawnAll(COUNT)),
    "make -j": () => timed(() => run("make", ["-s", "-j", String(SLOTS), "-f", makefile])),
  };
}

async function prepareSleeps(bench, concurrency) {
  const fanfold = await bench.startFanfold({ workers: 1, concurrency });
  const plan = compile({ plan_id: "sleeps", version: "1", phases: [commandPhase(8, "sleep", ["0.5"])] });
  return {
    fanfold: () => measureRun(fanfold, plan),
    ideal: async () => ({ ms: (8 / concurrency) * 500 }),
  };
}

function commandPhase(count, command, args) {
  return {
    id: "fan",
    command,
    args,
    shard: { strategy: "chunk", over: Array.from({ length: count }, (_, n) => ({ n })), chunk_size: 1 },
    merge: { strategy: "concat" },
  };
}

async function timed(action) {
  const startedAt = performance.now();
  await action();
  return { ms: performance.now() - startedAt };
}

async function run(command, args) {
  const [code] = await once(spawn(command, args, { stdio: "ignore" }), "close");
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
}

/** Bare Node: as many at once as the workers have slots. */
async function spawnAll(count) {
  let left = count;
  const slot = async () => {
    while (left > 0) {
      left -= 1;
      await run("/bin/true", []);
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, slot));
}
