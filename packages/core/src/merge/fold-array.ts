import type { JsonValue } from "../jsonl/json-value.ts";
import { JsonlError } from "../jsonl/jsonl-error.ts";
import { readJson } from "../jsonl/read-json.ts";
import { MergeError } from "./merge-error.ts";
import type { ShardOutputs } from "./shard-outputs.ts";

/**
 * JSON array of the JSON values of the shards, in shard order, one value a line. Values are parsed and written again,
 * so that equal values give equal bytes. Holds one value at a time, and reads every output twice.
 *
 * @throws {MergeError} `INVALID_VALUE` naming shard and line, before the first chunk
 */
export async function* foldArray(outputs: ShardOutputs): AsyncGenerator<Uint8Array, void, undefined> {
  for (let shard = 0; shard < outputs.shardCount; shard += 1) await readValue(outputs, shard);
  const encoder = new TextEncoder();
  for (let shard = 0; shard < outputs.shardCount; shard += 1) {
    const value = await readValue(outputs, shard);
    yield encoder.encode(`${shard === 0 ? "[\n" : ",\n"}${JSON.stringify(value)}`);
  }
  yield encoder.encode(outputs.shardCount === 0 ? "[]\n" : "\n]\n");
}

async function readValue(outputs: ShardOutputs, shard: number): Promise<JsonValue> {
  try {
    return await readJson(outputs.stream(shard));
  } catch (cause) {
    if (!(cause instanceof JsonlError)) throw cause;
    throw new MergeError("INVALID_VALUE", `shard ${shard}, ${cause.message}`, { cause });
  }
}
