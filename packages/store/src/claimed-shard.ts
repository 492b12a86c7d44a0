import { parseShardId, type ShardRef } from "./keys.ts";

/** A shard that was given a slot and must now be put on its queue. */
export interface ClaimedShard extends ShardRef {
  /** It had been on its queue before: its job may exist, delayed or failed. */
  readonly again: boolean;
}

/** A claimed shard as the Lua scripts spell it: its id, after a `~` when it had been on its queue before. */
export function parseClaim(text: string): ClaimedShard {
  const again = text.startsWith("~");
  return { ...parseShardId(again ? text.slice(1) : text), again };
}
