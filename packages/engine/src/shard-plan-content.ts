import { readShardPlanText, shardPlanText } from "@fanfold/core";
import { MAX_INLINE_BYTES, type ShardPlanContent } from "@fanfold/schemas";
import { type ArtifactStore, type ByteRange, readContent } from "@fanfold/store";

/** Largest shard plan that is looked at as a text, in bytes: it is made and read as a whole. */
const MAX_TEXT_PLAN_BYTES = 64 * 1024;

/** Keeps a shard plan, given in pieces: as a text where that is short, in the artifact store otherwise. */
export async function keepShardPlan(store: ArtifactStore, pieces: readonly Uint8Array[]): Promise<ShardPlanContent> {
  const [whole] = pieces;
  const isShort = pieces.length === 1 && whole !== undefined && whole.byteLength <= MAX_TEXT_PLAN_BYTES;
  const text = isShort ? shardPlanText(whole) : undefined;
  if (text !== undefined && text.length <= MAX_INLINE_BYTES) return { sizes: text };
  const { sha256, size_bytes } = await store.put(pieces);
  return { sha256, size_bytes };
}

/** Reads a range of a shard plan, or all of it. @throws {ShardError} `INVALID_SHARD_PLAN` */
export async function readShardPlan(
  store: ArtifactStore,
  plan: ShardPlanContent,
  range?: ByteRange,
): Promise<Uint8Array> {
  if (!("sizes" in plan)) return readContent(store, plan, range);
  const bytes = readShardPlanText(plan.sizes);
  return range === undefined ? bytes : bytes.subarray(range.start, range.end);
}

/** Most bytes a shard plan has in memory. */
export function shardPlanBytes(plan: ShardPlanContent): number {
  return "size_bytes" in plan ? plan.size_bytes : MAX_TEXT_PLAN_BYTES;
}
