import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compile, timeRun } from "../setup/measure-run.mjs";
import { openRaw, untilCompleted } from "../setup/raw.mjs";

const COUNT = 200;
/** Commands at once: two workers of four. */
const SLOTS = 8;
const SLEEPS = 8;
const SLEEP_MS = 500;

/** Commands: what starting a process costs, from a small worker and from one that holds a gigabyte. */
export const w4 = [
  ...[0, 1_024].map((ballastMb) => ({
    id: ballastMb === 0 ? "W4:small" : "W4:1gb",
    title: `${COUNT} × /bin/true, ${ballastMb === 0 ? "small workers" : "workers of 1 GB"}`,
    baseline: "bullmq",
    must: { ratio: 0.75 },
    aim: { ratio: 0.5 },
    prepare: (bench) => prepareCommands(bench, ballastMb),
  })),
  ...[
    [4, 1.031],
    [8, 1.064],
  ].map(([concurrency, ratio]) => ({
    id: `W4:sleep${concurrency}`,
    title: `${SLEEPS} × sleep 0.5, ${concurrency} at once`,
    baseline: "ideal",
    must: { ratio },
    prepare: (bench) => prepareSleeps(bench, concurrency),
  })),
];

async function prepareCommands(bench, ballastMb) {
  const env = ballastMb === 0 ? {} : { BENCH_BALLAST_MB: String(ballastMb) };
  const fanfold = await bench.startFanfold({ concurrency: SLOTS / 2, env });
  const nodeOptions = ballastMb === 0 ? {} : { NODE_OPTIONS: "--import ./setup/ballast.mjs" };
  const rawEnv = { ...env, ...nodeOptions };
  const raw = await openRaw(bench, { commands: "spawn" }, { concurrency: SLOTS / 2, env: rawEnv });
  const events = await raw.eventsOf("commands");
  const queue = raw.queue("commands");
  const names = Array.from({ length: COUNT }, (_, i) => `t${i}`);
  const makefile = await writeMakefile(bench.dir, names);
  const settings = { BENCH_COUNT: String(COUNT), BENCH_SLOTS: String(SLOTS) };
  const spawner = await bench.startNode(["raw/spawn-all.mjs"], {
    ready: /spawner ready/,
    env: { ...rawEnv, ...settings },
  });
  const plan = compile({ plan_id: "commands", version: "1", phases: [commandPhase(COUNT, "/bin/true", [])] });
  return {
    fanfold: () => timeRun(fanfold, plan),
    async bullmq() {
      const done = untilCompleted(events, COUNT);
      const startedAt = performance.now();
      const data = { command: "/bin/true", args: [] };
      await queue.addBulk(names.map((name) => ({ name, data, opts: { removeOnComplete: true } })));
      await done;
      return { ms: performance.now() - startedAt };
    },
    async "node spawn"() {
      const answered = once(spawner.child, "message");
      spawner.child.send({ go: true });
      const [{ ms }] = await answered;
      return { ms };
    },
    async "make -j"() {
      const startedAt = performance.now();
      const make = spawn("make", ["-s", "-j", String(SLOTS), "-f", makefile], { stdio: "ignore" });
      const [code] = await once(make, "close");
      if (code !== 0) throw new Error(`make ended with ${code}`);
      return { ms: performance.now() - startedAt };
    },
  };
}

async function writeMakefile(dir, targets) {
  const file = join(dir, "Makefile");
  await writeFile(file, `all: ${targets.join(" ")}\n${targets.map((t) => `${t}:\n\t@/bin/true\n`).join("")}`);
  return file;
}

async function prepareSleeps(bench, concurrency) {
  const fanfold = await bench.startFanfold({ workers: 1, concurrency });
  const sleeps = commandPhase(SLEEPS, "sleep", [String(SLEEP_MS / 1_000)]);
  const plan = compile({ plan_id: "sleeps", version: "1", phases: [sleeps] });
  return {
    fanfold: () => timeRun(fanfold, plan),
    ideal: async () => ({ ms: (SLEEPS / concurrency) * SLEEP_MS }),
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
