import { openRaw, untilCompleted } from "../setup/raw.mjs";
import { compile, measureRun } from "../setup/measure-run.mjs";

/** One phase of no-op shards, and one aggregate that sums what they gave. */
export const w1 = [
  [1_000, 1.2, 0.4],
  [10_000, 1.0, 0.5],
].map(([count, must, aim]) => ({
  id: `W1 ${count}`,
  title: `${count} no-op shards and their sum`,
  baseline: "bullmq",
  must: `≤ ${must}`,
  aim: `≤ ${aim}`,
  prepare: (bench) => prepareFanOut(bench, count),
}));

async function prepareFanOut(bench, count) {
  const fanfold = await bench.startFanfold();
  const raw = await openRaw(bench, { children: "index", parents: "sum" });
  const events = await raw.eventsOf("parents");
  const plan = compile({
    plan_id: "fan-out",
    version: "1",
    phases: [fanPhase(count, { merge: { strategy: "handler", handler: "handlers/sum.mjs" } })],
  });
  return {
    fanfold: () => measureRun(fanfold, plan),
    async bullmq(round) {
      const startedAt = performance.now();
      const children = Array.from({ length: count }, (_, index) => ({
        name: "child",
        queueName: "children",
        data: { index },
        opts: { removeOnComplete: true },
      }));
      const { job } = await raw.flows.add({ name: `sum ${round}`, queueName: "parents", children });
      const sum = await job.waitUntilFinished(events);
      if (sum !== (count * (count - 1)) / 2) throw new Error(`bullmq sums to ${sum}`);
      return { ms: performance.now() - startedAt };
    },
  };
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

/** The same under a cap, and shards of 20 ms, whose bound is known. */
export const w1c = [
  {
    id: "W1c no-op",
    title: "1,000 no-op shards, at most 4 at once",
    baseline: "bullmq",
    must: "≤ 1.6",
    aim: "≤ 1.0",
    prepare: (bench) => prepareCapped(bench, 4, "index"),
  },
  {
    id: "W1c 20 ms",
    title: "1,000 shards of 20 ms, at most 8 at once",
    baseline: "ideal",
    must: "≤ 1.053 (95 % of the bound)",
    aim: "≤ 1.02",
    prepare: async (bench) => ({
      ...(await prepareCapped(bench, 8, "wait")),
      ideal: async () => ({ ms: (CAPPED * 20) / 8 }),
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
    fanfold: () => measureRun(fanfold, plan),
    async bullmq() {
      const { done } = await untilCompleted(events, CAPPED);
      const startedAt = performance.now();
      await queue.addBulk(
        Array.from({ length: CAPPED }, (_, index) => ({
          name: "shard",
          data: { index },
          opts: { removeOnComplete: true },
        })),
      );
      await done;
      return { ms: performance.now() - startedAt };
    },
  };
}
