import { isDirect, type ShardRef } from "@fanfold/store";
import type { EngineWorkings } from "./engine-workings.ts";

/** Says that the shards of a claim are on their queues, and opens the gates this allows. */
export async function ackClaims(
  { store, states }: Pick<EngineWorkings, "store" | "states">,
  runId: string,
  claimant: string,
  options: { readonly carried: boolean | ShardRef },
): Promise<void> {
  const released = await store.ledger.ackClaims(runId, claimant, options);
  if (released.length === 0) return;
  const { graph } = await states.plan(runId);
  for (const ref of released) {
    const hasGate = !graph.has(ref.phase) || !isDirect(graph.phase(ref.phase));
    if (hasGate) await store.queues.removeGate(runId, ref);
  }
}
