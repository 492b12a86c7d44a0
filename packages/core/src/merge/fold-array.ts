import { JsonlError } from "../jsonl/jsonl-error.ts";
import { readJson } from "../jsonl/read-json.ts";
import { Offenders } from "./offenders.ts";
import type { ShardOutputs } from "./shard-outputs.ts";

/**
 * JSON array of the JSON values of the shards, in shard order, one value a line. Values are parsed and written again,
 * so that equal values give equal bytes. Holds one value at a time, and reads every output twice.
 *
 * @throws {MergeError} `INVALID_VALUE` naming shard and line, before the first chunk
 */
export async function* foldArray(outputs: ShardOutputs): AsyncGenerator<Uint8Array, void, undefined> {
  await checkValues(outputs);
  const encoder = new TextEncoder();
  let before = "[\n";
  for (const shard of outputs.shards) {
    yield encoder.encode(`${before}${JSON.stringify(await readJson(outputs.stream(shard)))}`);
    before = ",\n";
  }
  yield encoder.encode(before === "[\n" ? "[]\n" : "\n]\n");
}

async function checkValues(outputs: ShardOutputs): Promise<void> {
  const offenders = new Offenders();
  for (const shard of outputs.shards) {
    try {
      await readJson(outputs.stream(shard));
    } catch (cause) {
      if (!(cause instanceof JsonlError)) throw cause;
      offenders.add("INVALID_VALUE", `shard ${shard}, ${cause.message}`, { cause });
    }
  }
  offenders.throwIfAny();
}
