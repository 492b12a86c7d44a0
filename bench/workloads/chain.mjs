import { openRaw } from "../setup/raw.mjs";
import { compile, measureRun } from "../setup/measure-run.mjs";

const LENGTH = 100;

/** Phases that each wait for the one before. */
export function chainPlan(length, handler = "handlers/none.mjs") {
  const depends = (i) => (i === 0 ? [] : [`p${i - 1}`]);
  const phases = Array.from({ length }, (_, i) => ({ id: `p${i}`, handler, depends_on: depends(i) }));
  return { plan_id: "chain", version: "1", phases };
}

/** A chain of no-op phases: what one hop costs. */
export const w2 = [
  {
    id: "W2",
    title: `chain of ${LENGTH} no-op phases`,
    baseline: "bullmq",
    must: { ratio: 1.8, hop_ms: 3 },
    aim: { ratio: 0.65 },
    async prepare(bench) {
      const fanfold = await bench.startFanfold();
      const raw = await openRaw(bench, { chain: "none" });
      const events = await raw.eventsOf("chain");
      const plan = compile(chainPlan(LENGTH));
      return {
        async fanfold() {
          const { ms } = await measureRun(fanfold, plan);
          return { ms, figures: { hop_ms: ms / LENGTH } };
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
