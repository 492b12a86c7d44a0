import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { compile, measureRun, untilOver } from "../setup/measure-run.mjs";
import { percentilesOf } from "../setup/statistics.mjs";
import { chainPlan } from "./chain.mjs";

/** Latencies of an idle system: one thing happens at a time. */
export const w6 = [
  {
    id: "W6:stream",
    title: "event written → in the stream of the dashboard",
    must: { event_to_stream_p95_ms: 10 },
    aim: { event_to_stream_p95_ms: 5 },
    prepare: prepareStream,
  },
  {
    id: "W6:cancel",
    title: "cancel → last process dead, 8 processes of 2 workers",
    must: { cancel_p95_ms: 300 },
    aim: { cancel_p95_ms: 150 },
    prepare: (bench) => prepareCancel(bench, { script: "sleep 60", graceSec: 5 }),
  },
  {
    id: "W6:kill",
    title: "the same where the processes ignore SIGTERM, without the grace of 1 s",
    must: { cancel_p95_ms: 300 },
    aim: { cancel_p95_ms: 150 },
    prepare: (bench) => prepareCancel(bench, { script: "trap '' TERM; sleep 60 & wait; wait", graceSec: 1 }),
  },
  {
    id: "W6:hop",
    title: "end of a handler → begin of the one that depends on it",
    must: { dependency_to_start_p95_ms: 8 },
    aim: { dependency_to_start_p95_ms: 4 },
    prepare: prepareHop,
  },
];

const STREAMED_SHARDS = 50;

async function prepareStream(bench) {
  const fanfold = await bench.startFanfold({ workers: 1, concurrency: 1 });
  const url = await bench.startDashboard();
  const shard = { strategy: "chunk", over: Array.from({ length: STREAMED_SHARDS }, (_, n) => ({ n })), chunk_size: 1 };
  const phase = { id: "fan", handler: "handlers/wait.mjs", shard, merge: { strategy: "concat" }, max_parallel: 1 };
  const plan = compile({ plan_id: "streamed", version: "1", phases: [phase] });
  return {
    async fanfold() {
      const { runId } = await fanfold.engine.submit(plan);
      const times = await streamTimes(`${url}/api/v1/runs/${runId}/stream`);
      return { figures: percentilesOf("event_to_stream", times) };
    },
  };
}

/**
 * Ages of a run's events when its stream brings them, in ms. Their own time has whole milliseconds, cut off, and is
 * that of the process that wrote them, from before it did: so no age is too small. What was written before the stream
 * was open does not count.
 */
async function streamTimes(address) {
  const asked = request(address, { agent: false });
  asked.end();
  const [answer] = await once(asked, "response");
  const openedAtMs = Date.now();
  const times = [];
  let text = "";
  for await (const chunk of answer) {
    const nowMs = performance.timeOrigin + performance.now();
    text += chunk.toString("utf8");
    const cut = text.lastIndexOf("\n\n");
    if (cut === -1) continue;
    for (const frame of text.slice(0, cut).split("\n\n")) {
      if (/^event: end$/m.test(frame)) {
        asked.destroy();
        return times;
      }
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined || !/^event: journal$/m.test(frame)) continue;
      const writtenAtMs = Date.parse(JSON.parse(data).timestamp);
      if (writtenAtMs > openedAtMs) times.push(nowMs - writtenAtMs);
    }
    text = text.slice(cut + 2);
  }
  throw new Error("the stream ended before the run");
}

const PROCESSES = 8;
/** Cancels of one round. */
const CANCELS = 4;

async function prepareCancel(bench, { script, graceSec }) {
  const fanfold = await bench.startFanfold({ workers: 2, concurrency: PROCESSES / 2 });
  const shard = { strategy: "chunk", over: Array.from({ length: PROCESSES }, (_, n) => ({ n })), chunk_size: 1 };
  const phase = { id: "fan", command: "sh", args: ["-c", script], shard, merge: { strategy: "concat" } };
  const globals = { kill_grace_sec: graceSec };
  const plan = compile({ plan_id: "cancelled", version: "1", globals, phases: [phase] });
  const graceMs = script.startsWith("trap") ? graceSec * 1_000 : 0;
  return {
    async fanfold() {
      const times = [];
      for (let i = 0; i < CANCELS; i += 1) times.push((await cancelTime(fanfold, plan)) - graceMs);
      return { figures: percentilesOf("cancel", times) };
    },
  };
}

/** From the cancel until none of the run's processes runs, in ms. */
async function cancelTime({ engine, store }, plan) {
  const { runId } = await engine.submit(plan);
  let pids = [];
  while (pids.length < PROCESSES) {
    await sleep(20);
    pids = listProcesses(`FANFOLD_RUN_ID=${runId}`);
  }
  await sleep(100); // until traps are set and nothing else is under way
  pids = listProcesses(`FANFOLD_RUN_ID=${runId}`);
  const startedAt = performance.now();
  const cancelled = engine.cancel(runId, "bench");
  while (pids.some(isRunning)) await sleep(1);
  const ms = performance.now() - startedAt;
  await cancelled;
  await untilOver(store, runId, "run_cancelled");
  return ms;
}

function listProcesses(variable) {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(variable) && isRunning(pid);
    } catch {
      return false;
    }
  });
}

function isRunning(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(text.slice(text.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

const HOPS = 100;
const NS_PER_MS = 1e6;

async function prepareHop(bench) {
  const fanfold = await bench.startFanfold({ workers: 1 });
  const plan = compile(chainPlan(HOPS + 1, "handlers/stamp.mjs"));
  return {
    async fanfold() {
      const { runId } = await measureRun(fanfold, plan);
      const records = await fanfold.store.runs.loadPhases(runId);
      const stamps = plan.phases.map(({ id }) => BigInt(records.get(id).artifacts[0].inline));
      const times = stamps.slice(1).map((stamp, i) => Number(stamp - stamps[i]) / NS_PER_MS);
      return { figures: percentilesOf("dependency_to_start", times) };
    },
  };
}
