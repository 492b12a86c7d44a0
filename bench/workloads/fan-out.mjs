import { compile, measureRun, outputText, partsOf, timeRun } from "../setup/measure-run.mjs";
import { openRaw, untilCompleted } from "../setup/raw.mjs";

/** Shards → most of the baseline's time that Fanfold may take, and is to take. */
const TARGETS = new Map([
  [1_000, { must: { ratio: 1.2 }, aim: { ratio: 0.4 } }],
  [10_000, { must: { ratio: 1 }, aim: { ratio: 0.5 } }],
]);

/** One phase of no-op shards, and one aggregate that sums what they gave. */
export function w1(count) {
  const counts = count === undefined ? [...TARGETS.keys()] : [count];
  return counts.map((shards) => ({
    id: `W1:${shards}`,
    title: `${shards} no-op shards and their sum`,
    baseline: "bullmq",
    ...TARGETS.get(shards),
    prepare: (bench) => prepareFanOut(bench, shards),
  }));
}

async function prepareFanOut(bench, count) {
  const fanfold = await bench.startFanfold();
  const raw = await openRaw(bench, { children: "index", parents: "sum" });
  const events = await raw.eventsOf("parents");
  const plan = compile({ plan_id: "fan-out", version: "1", phases: [summedPhase(count)] });
  const check = (side, sum) => {
    if (sum !== (count * (count - 1)) / 2) throw new Error(`${side} sums to ${sum}`);
  };
  return {
    async fanfold() {
      const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
      const { runId, lines } = await measureRun(fanfold, plan);
      check("fanfold", Number(await outputText(fanfold, runId, "fan")));
      const ms = performance.now() - startedAt;
      return { ms, figures: { ...partsOf(lines), submitter_cpu_ms: cpuSince(cpu) } };
    },
    async bullmq(round) {
      const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
      const children = Array.from({ length: count }, (_, index) => ({
        name: "child",
        queueName: "children",
        data: { index },
        opts: { removeOnComplete: true },
      }));
      const { job } = await raw.flows.add({ name: `sum ${round}`, queueName: "parents", children });
      check("bullmq", await job.waitUntilFinished(events));
      return { ms: performance.now() - startedAt, figures: { submitter_cpu_ms: cpuSince(cpu) } };
    },
  };
}

/** Processor time of this process, in ms. */
function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** A phase of no-op shards whose outputs are summed. */
export function summedPhase(count) {
  return fanPhase(count, { merge: { strategy: "handler", handler: "handlers/sum.mjs" } });
}

function fanPhase(count, extra) {
  return {
    id: "fan",
    handler: "handlers/index.mjs",
    shard: { strategy: "chunk", over: Array.from({ length: count }, (_, n) => ({ n })), chunk_size: 1 },
    merge: { strategy: "concat" },
    ...extra,
  };
}

const CAPPED = 1_000;
const NAP_MS = 20;

/** The same under a cap, and shards of 20 ms, whose bound is known. */
export const w1c = [
  {
    id: "W1c:no-op",
    title: "1,000 no-op shards, at most 4 at once",
    baseline: "bullmq",
    must: { ratio: 1.6 },
    aim: { ratio: 1 },
    prepare: (bench) => prepareCapped(bench, 4, "index"),
  },
  {
    id: "W1c:20ms",
    title: "1,000 shards of 20 ms, at most 8 at once",
    baseline: "ideal",
    must: { ratio: 1.053 },
    aim: { ratio: 1.02 },
    prepare: async (bench) => ({
      ...(await prepareCapped(bench, 8, "wait")),
      ideal: async () => ({ ms: (CAPPED * NAP_MS) / 8 }),
    }),
  },
];

async function prepareCapped(bench, cap, handler) {
  const fanfold = await bench.startFanfold();
  const raw = await openRaw(bench, { capped: handler });
  const events = await raw.eventsOf("capped");
  const queue = raw.queue("capped");
  await queue.setGlobalConcurrency(cap);
  const plan = compile({
    plan_id: "capped",
    version: "1",
    phases: [fanPhase(CAPPED, { handler: `handlers/${handler}.mjs`, max_parallel: cap })],
  });
  return {
    fanfold: () => timeRun(fanfold, plan),
    async bullmq() {
      const done = untilCompleted(events, CAPPED);
      const startedAt = performance.now();
      const jobs = Array.from({ length: CAPPED }, (_, index) => ({ name: "shard", data: { index } }));
      await queue.addBulk(jobs.map((job) => ({ ...job, opts: { removeOnComplete: true } })));
      await done;
      return { ms: performance.now() - startedAt };
    },
  };
}
