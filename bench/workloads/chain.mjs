import { openRaw } from "../setup/raw.mjs";
import { compile, measureRun } from "../setup/measure-run.mjs";

const LENGTH = 100;

/** A chain of no-op phases: what one hop costs. */
export const w2 = [
  {
    id: "W2",
    title: `chain of ${LENGTH} no-op phases`,
    baseline: "bullmq",
    must: "≤ 1.8, ≤ 3 ms a hop",
    aim: "≤ 0.65",
    async prepare(bench) {
      const fanfold = await bench.startFanfold();
      const raw = await openRaw(bench, { chain: "none" });
      const events = await raw.eventsOf("chain");
      const phases = Array.from({ length: LENGTH }, (_, i) => ({
        id: `p${i}`,
        handler: "handlers/none.mjs",
        depends_on: i === 0 ? [] : [`p${i - 1}`],
      }));
      const plan = compile({ plan_id: "chain", version: "1", phases });
      return {
        async fanfold() {
          const { ms } = await measureRun(fanfold, plan);
          return { ms, notes: { ms_per_hop: Math.round((ms / LENGTH) * 100) / 100 } };
        },
        async bullmq() {
          let node = { name: "p0", queueName: "chain", data: {} };
          for (let i = 1; i < LENGTH; i += 1) node = { name: `p${i}`, queueName: "chain", data: {}, children: [node] };
          const startedAt = performance.now();
          const { job } = await raw.flows.add(node);
          await job.waitUntilFinished(events);
          return { ms: performance.now() - startedAt };
        },
      };
    },
  },
];
