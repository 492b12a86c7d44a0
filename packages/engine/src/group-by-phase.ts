import type { ClaimedShard, PhaseRef } from "@fanfold/store";

/** Claimed shards by their phase, in the order of the claim. */
export function groupByPhase(claimed: readonly ClaimedShard[]): { ref: PhaseRef; shards: ClaimedShard[] }[] {
  const groups = new Map<string, { ref: PhaseRef; shards: ClaimedShard[] }>();
  for (const shard of claimed) {
    const { phase, revision } = shard;
    const group = groups.get(phase) ?? { ref: { phase, revision }, shards: [] };
    group.shards.push(shard);
    groups.set(phase, group);
  }
  return [...groups.values()];
}
