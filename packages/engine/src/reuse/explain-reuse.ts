import {
  differingParts,
  isReusable,
  type PartName,
  partDetails,
  type PhaseOfPlan,
  RECORDS_HASH_BYTES,
  recordsHashOf,
} from "@fanfold/core";
import type { PhasePrint, ReuseSource, ShardRecord } from "@fanfold/schemas";
import { type PhaseRef, readContent, type Store, StoreError } from "@fanfold/store";
import { EngineError } from "../engine-error.ts";
import type { RunEngine } from "../run-engine.ts";

/** Earlier runs that are looked at for the nearest one. */
const SEARCHED_RUNS = 200;
/** Shards that are told of one by one when a whole phase is asked for. */
const TOLD_SHARDS = 20;
const PAGE = 500;

/** A part that differs, and what of it where that can be said. */
export interface PartDifference {
  readonly part: PartName;
  readonly details: readonly string[];
}

/** Why the output of a shard was reused, or was not. */
export interface ShardReuse {
  readonly shard: number;
  /** Where its output was made; null when it was not reused. */
  readonly reused_from: ReuseSource | null;
  /** The earlier run whose shard comes nearest; null when no earlier run of the plan had one to compare with. */
  readonly nearest: { readonly run_id: string; readonly revision: number; readonly shard: number | null } | null;
  /** In what the shard differs from the nearest one. */
  readonly differs: readonly PartDifference[];
  readonly why: string;
}

/** What came of reuse in a phase. */
export interface PhaseReuse {
  readonly phase: string;
  readonly revision: number;
  readonly shard_count: number;
  readonly reused_count: number;
  readonly why: string;
  /** The shard that was asked for, or the first ones that were not reused. */
  readonly shards: readonly ShardReuse[];
}

/**
 * Says of a phase of a run, or of one shard of it, whether earlier outputs were reused, and what differs where not.
 *
 * @throws {StoreError} RUN_NOT_FOUND
 * @throws {EngineError} UNKNOWN_PHASE
 */
export async function explainReuse(
  engine: RunEngine,
  runId: string,
  { phase, shard }: { readonly phase: string; readonly shard?: number },
): Promise<PhaseReuse> {
  const { store } = engine;
  const { plan, graph } = await engine.plan(runId);
  if (!graph.ids.includes(phase)) {
    throw new EngineError("UNKNOWN_PHASE", `run ${runId} has no phase ${phase}; it has ${graph.ids.join(", ")}`);
  }
  const definition = graph.phase(phase);
  const counts = await store.ledger.findPhase(runId, phase);
  const common = {
    phase,
    revision: counts?.revision ?? 0,
    shard_count: counts?.total ?? 0,
    reused_count: counts?.reused ?? 0,
  };
  const told = (why: string): PhaseReuse => ({ ...common, why, shards: [] });
  if (definition.reuse === undefined) return told("its outputs are not reused: no cache in the plan, or --no-cache");
  if (!isReusable(definition)) return told("its outputs are not reused: no version, and its files were not seen");
  if (counts === undefined) return told("it has not been opened yet");
  if (shard !== undefined && shard >= counts.total) {
    throw new EngineError(
      "UNKNOWN_PHASE",
      `phase ${phase} of ${runId} has ${counts.total} shards, and no shard ${shard}`,
    );
  }
  const ref = { phase, revision: counts.revision };
  const own = await loadPrinted(store, runId, ref);
  if (own === undefined) return told("its fingerprints are not there");
  const why = definition.reuse.refresh
    ? "all of it was made anew: --refresh"
    : `${common.reused_count} of ${counts.total} shards reused`;
  const wanted = shard === undefined ? await listMade(store, runId, ref, counts.total) : [shard];
  const earlier = wanted.length === 0 ? [] : await listEarlier(engine, runId, { plan, phase: definition }, own);
  const shards: ShardReuse[] = [];
  for (const index of wanted) {
    const record = await store.ledger.findShard(runId, { ...ref, shard: index });
    shards.push(await explainShard(store, index, { record, own, earlier, definition: { plan, phase: definition } }));
  }
  return { ...common, why, shards };
}

/** The fingerprints of a phase as they were made. */
interface Printed extends PhaseRef {
  readonly runId: string;
  readonly print: PhasePrint;
  /** Hashes of the shards' records, as one text; null when the phase is not sharded. */
  readonly records: string | null;
}

/** A phase of an earlier run, and in which parts it differs. */
interface Earlier extends Printed {
  readonly definition: PhaseOfPlan;
  readonly differs: readonly PartName[];
}

async function loadPrinted(store: Store, runId: string, ref: PhaseRef): Promise<Printed | undefined> {
  try {
    const { reuse: print } = await store.ledger.getInputs(runId, ref);
    if (print === undefined) return undefined;
    const bytes = print.records === null ? null : await readContent(store.artifacts, print.records);
    return { ...ref, runId, print, records: bytes === null ? null : Buffer.from(bytes).toString() };
  } catch (error) {
    // a run that is being removed meanwhile is none to compare with
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** The same phase of earlier runs of the plan, and earlier revisions in this one, the nearest first. */
async function listEarlier(engine: RunEngine, runId: string, own: PhaseOfPlan, printed: Printed): Promise<Earlier[]> {
  const { store } = engine;
  const { created_at_ms: createdAtMs } = await store.runs.get(runId);
  const positions = await store.index.page({ untilMs: createdAtMs, limit: SEARCHED_RUNS });
  const found: Earlier[] = [];
  for (const { runId: other } of positions) {
    const isSame = other === runId;
    const run = isSame ? undefined : await store.runs.find(other);
    if (!isSame && run?.plan_id !== own.plan.plan_id) continue;
    const last = isSame ? printed.revision - 1 : ((await store.ledger.findPhase(other, printed.phase))?.revision ?? 0);
    for (let revision = last; revision > 0; revision -= 1) {
      const earlier = await loadPrinted(store, other, { phase: printed.phase, revision });
      const { plan, graph } = await engine.plan(other);
      if (earlier === undefined || !graph.ids.includes(printed.phase)) continue;
      const definition = { plan, phase: graph.phase(printed.phase) };
      found.push({ ...earlier, definition, differs: differingParts(printed.print.parts, earlier.print.parts) });
    }
  }
  return found.sort((a, b) => a.differs.length - b.differs.length);
}

interface ExplainedShard {
  readonly record: ShardRecord | undefined;
  readonly own: Printed;
  readonly earlier: readonly Earlier[];
  readonly definition: PhaseOfPlan;
}

async function explainShard(
  store: Store,
  shard: number,
  { record, own, earlier, definition }: ExplainedShard,
): Promise<ShardReuse> {
  const reused_from = record?.reused_from ?? null;
  if (reused_from !== null) {
    const { run_id, phase, shard: from } = reused_from;
    return { shard, reused_from, nearest: null, differs: [], why: `reused from ${run_id}/${phase}[${from}]` };
  }
  const places = earlier.map((one) => ({ one, place: placeOf(own, shard, one) }));
  const costs = places.map(({ one, place }) => one.differs.length + (place === undefined ? 1 : 0));
  const least = places[costs.indexOf(Math.min(...costs))];
  if (least === undefined) {
    const why = "no earlier run of this plan that is still there kept anything of this phase";
    return { shard, reused_from, nearest: null, differs: [], why };
  }
  const { one, place } = least;
  const parts: PartName[] = [...one.differs, ...(place === undefined ? (["records"] as const) : [])];
  const differs = parts.map((part) => ({ part, details: partDetails(part, definition, one.definition) }));
  const nearest = { run_id: one.runId, revision: one.revision, shard: place ?? null };
  const why =
    parts.length > 0 ? `differs from ${one.runId}` : await whyNotThat(store, one, { place: place ?? 0, record });
  return { shard, reused_from, nearest, differs, why };
}

/** Shard of an earlier phase with the records of this one; undefined where there is none. */
function placeOf(own: Printed, shard: number, earlier: Printed): number | undefined {
  if (own.records === null || earlier.records === null) return own.records === earlier.records ? 0 : undefined;
  const wanted = recordsHashOf(own.records, shard);
  for (let i = 0; i < earlier.records.length / RECORDS_HASH_BYTES; i += 1) {
    if (recordsHashOf(earlier.records, i) === wanted) return i;
  }
  return undefined;
}

/** Why a shard of the very same fingerprint was not taken. */
async function whyNotThat(
  store: Store,
  earlier: Earlier,
  { place, record }: { place: number; record: ShardRecord | undefined },
): Promise<string> {
  const { runId, phase, revision } = earlier;
  const other = await store.ledger.findShard(runId, { phase, revision, shard: place });
  const name = `${runId}/${phase}[${place}]`;
  if (other?.status !== "succeeded") return `${name} is the same, and has not succeeded`;
  if (other.fingerprint === undefined) {
    return `${name} is the same, and its output was not kept: the files on its worker were not those of the plan`;
  }
  const isLate = (other.finished_at_ms ?? 0) >= (record?.started_at_ms ?? Number.POSITIVE_INFINITY);
  if (isLate) return `${name} is the same, and ended after this shard had started`;
  return `${name} is the same: it was too old (cache.ttl_days), this phase was asked for by --refresh or rerun, or it had not ended when this one was opened`;
}

/** First shards of a phase whose outputs were not reused. */
async function listMade(store: Store, runId: string, ref: PhaseRef, total: number): Promise<number[]> {
  const made: number[] = [];
  for (let from = 0; from < total && made.length < TOLD_SHARDS; from += PAGE) {
    const records = await store.ledger.listShards(runId, ref, from, Math.min(total, from + PAGE));
    for (const [i, record] of records.entries()) if (record?.reused_from === undefined) made.push(from + i);
  }
  return made.slice(0, TOLD_SHARDS);
}
