import { parseShardId, type ShardRef } from "./keys.ts";

/** A claimed shard as the Lua scripts spell it: its id after a mark. */
const CLAIM = /^([~!]?)(.*)$/s;

/** A shard that was given a slot and must now be put on its queue. */
export interface ClaimedShard extends ShardRef {
  /** It had been on its queue before: its job may exist, delayed or failed. */
  readonly again: boolean;
  /** The job of the claimant carries it: it needs a job of its own only when that job cannot go on. */
  readonly carried: boolean;
}

/** Reads a claimed shard: `~` marks one that had been on its queue before, `!` one that the claimant's job carries. */
export function parseClaim(text: string): ClaimedShard {
  const [, mark = "", id = ""] = CLAIM.exec(text) ?? [];
  return { ...parseShardId(id), again: mark === "~", carried: mark === "!" };
}
