import { setImmediate as breathe } from "node:timers/promises";
import {
  createShardCutter,
  findGroupField,
  gatherOrder,
  groupValueOf,
  readItems,
  type JsonlRecord,
  type JsonValue,
  readRecords,
  ShardError,
  ShardPlanEncoder,
} from "@fanfold/core";
import type { CompiledPhase, Content, PhaseInputs, Shard } from "@fanfold/schemas";
import { type ArtifactStore, readContent, streamContent } from "@fanfold/store";
import { keepContent } from "./content.ts";
import { keepShardPlan } from "./shard-plan-content.ts";

/** How a phase is cut: known before any of its work starts. */
export interface Expansion {
  readonly shardCount: number;
  readonly recordCount: number | null;
  readonly inputs: PhaseInputs;
}

/** Most bytes of an artifact that is read as items: they are read as a whole. */
const MAX_ITEMS_BYTES = 64 * 1024 * 1024;

/** Records that are read in one go: some milliseconds of work. */
const RECORDS_A_TURN = 2_000;

/** A phase that is one shard. */
export const UNSHARDED: Expansion = {
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
  if (phase.for_each !== undefined) return expandItems(phase.shard, store, { source, format: phase.for_each.format });
  const records = phase.shard.grouping === "key" ? await regroup(phase.shard, store, source) : source;
  return cut(phase.shard, store, { source, records });
}

/** A list written in the plan, as records. */
async function keepItems(store: ArtifactStore, items: readonly JsonValue[]): Promise<Content> {
  return keepContent(
    store,
    items.map((item) => Buffer.from(`${JSON.stringify(item)}\n`)),
  );
}

/** Items become records first. They need no key to be told apart, so a merge has no source to follow. */
async function expandItems(
  rule: Shard,
  store: ArtifactStore,
  { source, format }: { source: Content; format: NonNullable<CompiledPhase["for_each"]>["format"] },
): Promise<Expansion> {
  const items = readItems(await readText(store, source), format);
  const records = await keepItems(store, items).catch((cause: unknown) => {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ShardError("BAD_ITEMS", `an item cannot be written as JSON: ${cause.message}`, { cause });
  });
  const expansion = await cut(rule, store, { source: records, records });
  return { ...expansion, inputs: { ...expansion.inputs, source: null } };
}

async function readText(store: ArtifactStore, source: Content): Promise<string> {
  if ("inline" in source) return source.inline;
  if (source.size_bytes > MAX_ITEMS_BYTES) {
    throw new ShardError("BAD_ITEMS", `the items are ${source.size_bytes} bytes, more than ${MAX_ITEMS_BYTES}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readContent(store, source));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ShardError("BAD_ITEMS", "the items are not valid UTF-8", { cause });
  }
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
  const shard_plan = await keepShardPlan(store, [...plan.pieces()]);
  return { shardCount: plan.shardCount, recordCount, inputs: { source, records, shard_plan } };
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

/** Records of an artifact. Between many of them everything else in this process has its turn. */
async function* readValues(store: ArtifactStore, content: Content): AsyncGenerator<JsonlRecord<JsonValue>> {
  let read = 0;
  for await (const record of readRecords(streamContent(store, content), { anyValue: true })) {
    yield record;
    read += 1;
    if (read % RECORDS_A_TURN === 0) await breathe();
  }
}
