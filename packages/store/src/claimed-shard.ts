import { parseShardId, type ShardRef } from "./keys.ts";

/** A shard that was given a slot and must now be put on its queue, or several that stand together: a block. */
export interface ClaimedShard extends ShardRef {
  /** It had been on its queue before: its job may exist, delayed or failed. */
  readonly again: boolean;
  /** Shards of the block of which this is the first; 1 for a shard of its own. */
  readonly size: number;
}

/**
 * A claimed shard as the Lua scripts spell it: its id, after a `~` when it had been on its queue before. A block is the id
 * of its first shard, with `+<shards>`.
 */
export function parseClaim(text: string): ClaimedShard {
  const again = text.startsWith("~");
  const [id = "", size = "1"] = text.slice(again ? 1 : 0).split(/\+(?=\d+$)/);
  return { ...parseShardId(id), again, size: Number(size) };
}

/** Each shard that was claimed, those in blocks too. */
export function shardsOf(claimed: readonly ClaimedShard[]): ShardRef[] {
  return claimed.flatMap(({ phase, revision, shard, size }) =>
    Array.from({ length: size }, (_, i) => ({ phase, revision, shard: shard + i })),
  );
}

/** Number of shards that were claimed. */
export function countShards(claimed: readonly ClaimedShard[]): number {
  return claimed.reduce((sum, { size }) => sum + size, 0);
}
