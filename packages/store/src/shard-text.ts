import {
  AcceptedOutputSchema,
  type Content,
  PackedOutputSchema,
  PackedSuccessSchema,
  type ShardRecord,
  ShardRecordSchema,
} from "@fanfold/schemas";

/**
 * Text under which the record of a shard is kept. There may be a million that just succeeded, so these are packed: an
 * array without names, see {@link PackedSuccessSchema}. Every other record is its JSON. `read_shard` in
 * `lua/include/ledger.lua` reads both, too.
 */
export function shardText(record: ShardRecord): string {
  const { status, attempt, fence, worker, started_at_ms, finished_at_ms, consumed, result, ...rest } = record;
  const isComplete = attempt && fence && worker && started_at_ms !== undefined && finished_at_ms !== undefined;
  if (status !== "succeeded" || !isComplete || result === undefined) return JSON.stringify(record);
  const { output, ...more } = result;
  if (Object.keys(more).length > 0) return JSON.stringify(record);
  const tookMs = finished_at_ms - started_at_ms;
  const kept = "inline" in output ? output.inline : output;
  const packed = [attempt, fence, worker, started_at_ms, tookMs, consumed ?? "", kept];
  return JSON.stringify(Object.keys(rest).length === 0 ? packed : [...packed, rest]);
}

/** The record of a shard, from the text under which it is kept. */
export function parseShard(text: string): ShardRecord {
  const value: unknown = JSON.parse(text);
  return ShardRecordSchema.parse(Array.isArray(value) ? unpack(value) : value);
}

/** The accepted output of a shard, from the text of its record: cheaper than all of it. */
export function parseOutput(text: string): Content | undefined {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return contentOf(PackedOutputSchema.parse(value[OUTPUT]));
  return AcceptedOutputSchema.parse(value).result?.output;
}

/** Where the output stands in a packed record. */
const OUTPUT = 6;

function unpack(value: readonly unknown[]): ShardRecord {
  const [attempt, fence, worker, startedAtMs, tookMs, consumed, output, rest] = PackedSuccessSchema.parse(value);
  return {
    ...rest,
    status: "succeeded",
    attempt,
    fence,
    worker,
    started_at_ms: startedAtMs,
    finished_at_ms: startedAtMs + tookMs,
    ...(consumed === "" ? {} : { consumed }),
    result: { output: contentOf(output) },
  };
}

function contentOf(output: string | Content): Content {
  return typeof output === "string" ? { inline: output } : output;
}
