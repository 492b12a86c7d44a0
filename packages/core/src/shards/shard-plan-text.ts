import { ShardError } from "./shard-error.ts";
import { decodeShardRange, encodeShardPlan, shardPlanLength, type ShardRange } from "./shard-plan.ts";

const RUN = /^(\d+)\.(\d+)(?:\*(\d+))?$/;

/**
 * Shard plan as a short text: `<bytes>.<records>` for each shard, with `*<shards>` behind it where several in a row have
 * the same. It says where a shard is by what lies before it.
 *
 * @returns undefined when the shards do not follow one another without a gap
 */
export function shardPlanText(plan: Uint8Array): string | undefined {
  const runs: { size: string; shards: number }[] = [];
  let [byte, record] = [0, 0];
  for (let shard = 0; shard < shardPlanLength(plan); shard += 1) {
    const range = decodeShardRange(plan, shard);
    if (range.byteStart !== byte || range.recordStart !== record) return undefined;
    const size = `${range.byteEnd - byte}.${range.recordCount}`;
    byte = range.byteEnd;
    record += range.recordCount;
    const last = runs.at(-1);
    if (last?.size === size) last.shards += 1;
    else runs.push({ size, shards: 1 });
  }
  return runs.map(({ size, shards }) => (shards === 1 ? size : `${size}*${shards}`)).join(" ");
}

/**
 * The shard plan that a text of {@link shardPlanText} stands for.
 *
 * @throws {ShardError} `INVALID_SHARD_PLAN`
 */
export function readShardPlanText(text: string): Uint8Array {
  return encodeShardPlan(rangesOf(text));
}

function* rangesOf(text: string): Generator<ShardRange> {
  let [byteStart, recordStart] = [0, 0];
  for (const run of text === "" ? [] : text.split(" ")) {
    const [, bytes, records, shards = "1"] = RUN.exec(run) ?? [];
    if (bytes === undefined)
      throw new ShardError("INVALID_SHARD_PLAN", `${JSON.stringify(run)} is no part of a shard plan`);
    const recordCount = Number(records);
    for (let i = 0; i < Number(shards); i += 1) {
      const byteEnd = byteStart + Number(bytes);
      yield { byteStart, byteEnd, recordStart, recordCount };
      byteStart = byteEnd;
      recordStart += recordCount;
    }
  }
}
