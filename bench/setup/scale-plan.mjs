import { setTimeout as sleep } from "node:timers/promises";
import { compile } from "./measure-run.mjs";

const POLL_MS = 50;

/** A phase `fan` of shards of one record each, and before it a phase `make` that makes the records. */
export function scalePlan(count, extra) {
  const phases = [
    { id: "make", handler: "handlers/records.mjs", provides: ["records"], env: { COUNT: String(count) } },
    {
      id: "fan",
      depends_on: ["make"],
      handler: "handlers/index.mjs",
      shard: { strategy: "chunk", over: "records", chunk_size: 1 },
      merge: { strategy: "concat" },
      ...extra,
    },
  ];
  return compile({ plan_id: "scale", version: "1", phases });
}

/** Waits until a phase of a run has succeeded, with little traffic. @throws {Error} when the run has ended otherwise */
export async function untilPhaseSucceeded({ store }, runId, phase) {
  await until(async () => {
    const { status } = await store.runs.get(runId);
    if (status === "failed" || status === "cancelled") throw new Error(`${runId} is ${status}`);
    return (await store.runs.findPhases(runId, [phase])).get(phase)?.status === "succeeded";
  });
}

/** Waits until every shard of a phase has succeeded. */
export async function untilShardsSucceeded({ store }, runId, phase, count) {
  await until(async () => (await store.ledger.findPhase(runId, phase))?.succeeded === count);
}

/** Looks again and again; for what takes seconds. */
export async function until(check) {
  while (!(await check())) await sleep(POLL_MS);
}
