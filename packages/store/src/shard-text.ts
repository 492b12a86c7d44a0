import {
  AcceptedOutputSchema,
  type Content,
  ContentSchema,
  type ShardRecord,
  ShardRecordSchema,
} from "@fanfold/schemas";

/** Where the output stands in a packed record. */
const OUTPUT = 6;

/**
 * Text under which the record of a shard is kept. There may be a million that succeeded and gave nothing but an output, so
 * these are packed, without the names of their fields: an array of attempt, fence, worker, started_at_ms, ms from there
 * to finished_at_ms, consumed or "", the output (a text that is kept inline, or where it is), and, where there are any,
 * all other fields as an object. Every other record is its JSON. `read_shard` in `lua/include/ledger.lua` reads both, too.
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
  if (Array.isArray(value)) return ContentSchema.parse(contentOf(value[OUTPUT]));
  return AcceptedOutputSchema.parse(value).result?.output;
}

/** What a packed record says, with names; nothing of it is checked. Not by spreading: that makes slow objects. */
function unpack([attempt, fence, worker, startedAtMs, tookMs, consumed, output, rest]: readonly unknown[]): object {
  const record = {
    status: "succeeded",
    attempt,
    fence,
    worker,
    started_at_ms: startedAtMs,
    finished_at_ms: Number(startedAtMs) + Number(tookMs),
    result: { output: contentOf(output) },
  };
  return Object.assign(record, consumed === "" ? undefined : { consumed }, rest);
}

function contentOf(output: unknown): unknown {
  return typeof output === "string" ? { inline: output } : output;
}
