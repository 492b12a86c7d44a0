import { parseShardId, type ShardRef } from "./keys.ts";

/** A claimed shard as the Lua scripts spell it: its id after a mark, and the size of its block. */
const CLAIM = /^([~!]?)(.*?)(?:\+(\d+))?$/s;

/** A shard that was given a slot and must now be put on its queue, or several that stand together: a block. */
export interface ClaimedShard extends ShardRef {
  /** It had been on its queue before: its job may exist, delayed or failed. */
  readonly again: boolean;
  /** The job of the claimant carries it: it needs a job of its own only when that job cannot go on. */
  readonly carried: boolean;
  /** Shards of the block of which this is the first; 1 for a shard of its own. */
  readonly size: number;
}

/**
 * Reads a claimed shard: `~` marks one that had been on its queue before, `!` one that the claimant's job carries; a
 * block is the id of its first shard with `+<shards>`.
 */
export function parseClaim(text: string): ClaimedShard {
  const [, mark = "", id = "", size = "1"] = CLAIM.exec(text) ?? [];
  return { ...parseShardId(id), again: mark === "~", carried: mark === "!", size: Number(size) };
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
