import type { Store } from "@fanfold/store";

/** Says that the shards of a claim are on their queues, and opens the gates this allows. */
export async function ackClaims(store: Store, runId: string, claimant: string): Promise<void> {
  for (const ref of await store.ledger.ackClaims(runId, claimant)) {
    await store.queues.removeGate(runId, ref);
  }
}
