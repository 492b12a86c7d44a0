import type { AttemptEnd } from "@fanfold/engine";
import { jobIds, type ShardRef } from "@fanfold/store";
import type { Deployment } from "@fanfold/testkit";

/** Starts an attempt of a shard that has a job, in the name of a worker that dies with its end, and gives that good end. */
export async function goodEnd(
  { store }: Deployment,
  runId: string,
  ref: ShardRef,
  { output, expectedMs }: { readonly output: string; readonly expectedMs?: () => number },
): Promise<AttemptEnd> {
  const start = { worker: "dead", nowMs: 1, starts: 1, reopened: false, lossLimit: 5 };
  const { record } = await store.ledger.startShard(runId, ref, start);
  const { attempt = 0, fence = 0 } = record ?? {};
  return {
    runId,
    ref,
    claimant: jobIds.shard(runId, ref),
    isCarried: false,
    carrier: { worker: "dead", pool: "default", lossLimit: 5, ...(expectedMs === undefined ? {} : { expectedMs }) },
    finish: {
      attempt,
      fence,
      nowMs: 2,
      costUsd: 0,
      outcome: "succeeded",
      record: { ...record, status: "succeeded", result: { output: { inline: output } } },
      events: [["shard_succeeded", { duration_ms: 1 }]],
    },
  };
}
