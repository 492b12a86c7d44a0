import type { ShardOutputs } from "./shard-outputs.ts";

/** Bytes of the shard outputs, one after the other in shard order. */
export async function* foldConcat(outputs: ShardOutputs): AsyncGenerator<Uint8Array, void, undefined> {
  for (const shard of outputs.shards) yield* outputs.stream(shard);
}
