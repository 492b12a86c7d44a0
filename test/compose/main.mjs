// The deployment of docker-compose.yml on a real Docker engine, with its containers killed, paused and cut off.
// `npm run test:compose`; needs docker with compose, and the images node:20-bookworm-slim and redis:7.
// Runs examples/tz twice: undisturbed, and while (1) a worker is killed, (2) another is paused past its lock, (3) the
// third is cut off the network, (4) Redis is killed and started. Both must end well, with the same manifest.
// Prints one JSON object; exits with 1 when anything is not as it must be.
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROJECT = `fanfold-test-${process.pid}`;
/** Longer than a worker's lock: its shards are taken over meanwhile. */
const PAUSE_MS = 12_000;
const RUN_TIMEOUT_MS = 180_000;

const port = await freePort();
const env = { ...process.env, FANFOLD_REDIS_PORT: String(port), FANFOLD_CONCURRENCY: "1" };
const run = async (command, args) => (await promisify(execFile)(command, args, { cwd: ROOT, env })).stdout;
const docker = (...args) => run("docker", args);
const compose = (...args) => docker("compose", "-p", PROJECT, ...args);
const fanfold = (...args) =>
  run(process.execPath, ["packages/cli/bin/fanfold.js", ...args, "--redis", `redis://127.0.0.1:${port}`]);

process.stderr.write(`project ${PROJECT}, redis on ${port}\n`);
try {
  await compose("up", "-d", "--build", "--wait", "--scale", "worker=3");
  const calm = await finish(await submit("calm", 0));
  const runId = await submit("disturbed", 1_500);
  await untilEvent(runId, "compile", "shard_started");
  const disturbances = await disturb();
  const disturbed = await finish(runId);
  const events = await journal(runId);
  const report = {
    calm: calm.manifest,
    disturbed: disturbed.manifest,
    status: disturbed.status,
    lost: events.filter(({ event }) => event === "shard_lost").length,
    gaps: events.filter(({ seq }, i) => seq !== i + 1).length,
    disturbances,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const isWell = calm.manifest === disturbed.manifest && report.status === "succeeded" && report.gaps === 0;
  if (!isWell || report.lost === 0) process.exitCode = 1;
} finally {
  await compose("down", "-v", "--timeout", "1");
}

async function submit(id, slowMs) {
  return (await fanfold("submit", "examples/tz/plan.yaml", "--run-id", id, "--var", `SLOW_MS=${slowMs}`)).trim();
}

async function journal(runId) {
  const text = await fanfold("events", runId, "--json");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
}

async function untilEvent(runId, phase, event) {
  for (;;) {
    const found = (await journal(runId)).some((line) => line.phase === phase && line.event === event);
    if (found) return;
    await sleep(200);
  }
}

/** Waits for a run's end. @returns its status and the hash of its manifest */
async function finish(runId) {
  const deadline = Date.now() + RUN_TIMEOUT_MS;
  for (;;) {
    const document = JSON.parse(await fanfold("status", runId, "--json"));
    if (document.finished_at_ms !== null) {
      const verify = document.phases.find(({ phase }) => phase === "verify");
      const manifest = verify?.artifacts.find(({ name }) => name === "manifest")?.sha256;
      return { status: document.status, manifest };
    }
    if (Date.now() > deadline) throw new Error(`${runId} has not ended: ${document.status}`);
    await sleep(500);
  }
}

async function disturb() {
  const workers = (await compose("ps", "-q", "worker")).trim().split("\n");
  const [redis] = (await compose("ps", "-q", "redis")).trim().split("\n");
  const [killed, paused, cutOff] = workers;
  const network = `${PROJECT}_default`;
  await docker("kill", killed);
  await docker("pause", paused);
  await docker("network", "disconnect", network, cutOff);
  await sleep(PAUSE_MS);
  await docker("unpause", paused);
  await docker("network", "connect", network, cutOff);
  await docker("start", killed);
  await docker("kill", redis);
  await docker("start", redis);
  return ["worker killed", "worker paused", "worker cut off", "redis killed"];
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address();
  server.close();
  await once(server, "close");
  return free;
}
