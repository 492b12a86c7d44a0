import { recordsHashOf, shardFingerprint } from "@fanfold/core";
import type { CompiledPhase, Content, PhasePrint } from "@fanfold/schemas";
import type { PhaseRef, ReusableOutput, ReusingShard, Store } from "@fanfold/store";
import type { Expansion } from "../expand-phase.ts";
import { hashRecords, type PrintedPhase, printOf } from "./phase-print.ts";

/** Shards looked up, and taken over, in one round trip: few enough that their outputs do not hold Redis up. */
const CHUNK = 250;
/** Outputs in the artifact store that are renewed at once. */
const RENEWED_AT_ONCE = 16;
const DAY_MS = 86_400_000;

/** The fingerprints of a phase that is being opened. */
export interface Fingerprints {
  readonly print: PhasePrint;
  /** Fingerprint of a shard. */
  of(shard: number): string;
}

/** Fingerprints of all shards of an expanded phase; undefined when nothing of it is reused. */
export async function fingerprint(
  store: Store,
  phase: PrintedPhase,
  { inputs, shardCount }: Expansion,
): Promise<Fingerprints | undefined> {
  const common = printOf(phase);
  if (common === undefined) return undefined;
  const records = await hashRecords(store.artifacts, inputs, shardCount);
  return {
    print: { ...common, records: records?.kept ?? null },
    of: (shard) => shardFingerprint(common.print, records === undefined ? null : recordsHashOf(records.hashes, shard)),
  };
}

/**
 * Lets the shards of a phase that is being opened take over the outputs of earlier shards with their fingerprint. What
 * cannot be had any more is not reused. May be repeated.
 *
 * @returns how many shards were taken over by this call
 */
export async function reuseShards(
  store: Store,
  { runId, ref, shardCount }: { runId: string; ref: PhaseRef; shardCount: number },
  prints: Fingerprints,
  { definition, nowMs }: { definition: CompiledPhase; nowMs: () => number },
): Promise<number> {
  const ttlMs = (definition.reuse?.ttl_days ?? Number.POSITIVE_INFINITY) * DAY_MS;
  let taken = 0;
  for (let from = 0; from < shardCount; from += CHUNK) {
    const shards = Array.from({ length: Math.min(CHUNK, shardCount - from) }, (_, i) => from + i);
    const fingerprints = shards.map((shard) => prints.of(shard));
    const found = await store.reuse.find(fingerprints, nowMs() - ttlMs);
    const known = found.flatMap((output, i): ReusingShard[] =>
      output === undefined ? [] : [{ ...output, shard: from + i }],
    );
    const there = await keepThere(store, known);
    if (there.length > 0) taken += await store.reuse.take(runId, ref, there, nowMs());
  }
  return taken;
}

/** Those whose content is in the artifact store, and stays there: it gets the time of content that was just put. */
async function keepThere(store: Store, shards: readonly ReusingShard[]): Promise<ReusingShard[]> {
  const renewing = new Map<string, Promise<boolean>>();
  const there: ReusingShard[] = [];
  for (let from = 0; from < shards.length; from += RENEWED_AT_ONCE) {
    const some = shards.slice(from, from + RENEWED_AT_ONCE);
    const renewed = await Promise.all(some.map((shard) => renewAll(store, shard, renewing)));
    there.push(...some.filter((_, i) => renewed[i] === true));
  }
  return there;
}

async function renewAll(store: Store, { result }: ReusableOutput, renewing: Map<string, Promise<boolean>>) {
  const { output, artifacts = {}, collected = {} } = result;
  const contents = [output, ...Object.values(artifacts), ...Object.values(collected)];
  const renewed = await Promise.all(contents.map((content) => renew(store, content, renewing)));
  return renewed.every((isThere) => isThere);
}

/** Many shards may have the same output: it is renewed once. */
function renew(store: Store, content: Content, renewing: Map<string, Promise<boolean>>): Promise<boolean> {
  if ("inline" in content) return Promise.resolve(true);
  const known = renewing.get(content.sha256);
  if (known !== undefined) return known;
  const renewal = store.artifacts.renew(content.sha256);
  renewing.set(content.sha256, renewal);
  return renewal;
}
