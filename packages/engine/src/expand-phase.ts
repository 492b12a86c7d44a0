import {
  createShardCutter,
  findGroupField,
  gatherOrder,
  groupValueOf,
  type JsonlRecord,
  type JsonValue,
  readRecords,
  ShardPlanEncoder,
} from "@fanfold/core";
import type { CompiledPhase, Content, PhaseInputs, Shard } from "@fanfold/schemas";
import { type ArtifactStore, streamContent } from "@fanfold/store";
import { keepContent } from "./content.ts";

/** How a phase is cut: known before any of its work starts. */
export interface Expansion {
  readonly shardCount: number;
  readonly recordCount: number | null;
  readonly inputs: PhaseInputs;
}

const UNSHARDED: Expansion = {
  shardCount: 1,
  recordCount: null,
  inputs: { source: null, records: null, shard_plan: null },
};

/**
 * Cuts the records of a phase into shards and keeps the plan of the cut, streaming.
 *
 * @param findArtifact where the records of an artifact are
 * @throws {JsonlError} when the source is not JSONL
 * @throws {ShardError} when the records do not fit the strategy
 */
export async function expandPhase(
  phase: CompiledPhase,
  store: ArtifactStore,
  findArtifact: (name: string) => Content,
): Promise<Expansion> {
  const over = phase.shard?.over;
  if (phase.shard === null || over === undefined) return UNSHARDED;
  const source = typeof over === "string" ? findArtifact(over) : await keepItems(store, over);
  const records = phase.shard.grouping === "key" ? await regroup(phase.shard, store, source) : source;
  return cut(phase.shard, store, { source, records });
}

/** A list written in the plan, as records. */
function keepItems(store: ArtifactStore, items: readonly JsonValue[]): Promise<Content> {
  return keepContent(
    store,
    items.map((item) => Buffer.from(`${JSON.stringify(item)}\n`)),
  );
}

async function cut(
  rule: Shard,
  store: ArtifactStore,
  { source, records }: { source: Content; records: Content },
): Promise<Expansion> {
  const cutter = createShardCutter(rule);
  const plan = new ShardPlanEncoder();
  let recordCount = 0;
  for await (const record of readValues(store, records)) {
    recordCount += 1;
    const range = cutter.push(record);
    if (range !== undefined) plan.add(range);
  }
  for (const range of cutter.end()) plan.add(range);
  const { sha256, size_bytes } = await store.put([plan.encode()]);
  return { shardCount: plan.shardCount, recordCount, inputs: { source, records, shard_plan: { sha256, size_bytes } } };
}

/** Rewrites the records so that equal keys stand together; the index of each stays its place in the source. */
async function regroup(rule: Shard, store: ArtifactStore, source: Content): Promise<Content> {
  const field = findGroupField(rule);
  if (field === undefined) return source;
  const values: JsonValue[] = [];
  const lines: Uint8Array[] = [];
  for await (const record of readValues(store, source)) {
    values.push(groupValueOf(record.value, field));
    lines.push(Buffer.concat([record.bytes, NEWLINE]));
  }
  return keepContent(
    store,
    gatherOrder(values).flatMap((index) => lines[index] ?? []),
  );
}

const NEWLINE = Buffer.from("\n");

function readValues(store: ArtifactStore, content: Content): AsyncGenerator<JsonlRecord<JsonValue>> {
  return readRecords(streamContent(store, content), { anyValue: true });
}
