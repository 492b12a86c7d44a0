import type { ShardOutputs } from "./shard-outputs.ts";

/** Bytes of the shard outputs, one after the other in shard order. */
export async function* foldConcat(outputs: ShardOutputs): AsyncGenerator<Uint8Array, void, undefined> {
  for (let shard = 0; shard < outputs.shardCount; shard += 1) yield* outputs.stream(shard);
}
