import { decodeShardRange, isReusable, phasePrint, printParts, RangeHasher, type ShardRange } from "@fanfold/core";
import type { Artifact, CompiledPhase, CompiledPlan, Content, PhaseInputs, PhasePrint } from "@fanfold/schemas";
import { type ArtifactStore, streamContent } from "@fanfold/store";
import { keepContent } from "../content.ts";
import { readShardPlan } from "../shard-plan-content.ts";

type HashedArtifact = Pick<Artifact, "name" | "sha256">;

/** What the fingerprints of a phase are taken from, besides its records. */
export interface PrintedPhase {
  readonly plan: CompiledPlan;
  readonly definition: CompiledPhase;
  /** What the phase is made from. */
  readonly inputs: { artifactsOf(phase: string): readonly HashedArtifact[] | undefined };
}

/** Hash of all that the shards of a phase have in common, with its parts; undefined when nothing of it is reused. */
export function printOf({ plan, definition, inputs }: PrintedPhase): Omit<PhasePrint, "records"> | undefined {
  const { reuse } = definition;
  if (reuse === undefined || !isReusable(definition)) return undefined;
  const consumed = new Map(
    definition.consumes.map(({ name, sources }) => [
      name,
      new Map(sources.map(({ phase, label }) => [label, hashOfArtifact(inputs.artifactsOf(phase), name)])),
    ]),
  );
  const parts = printParts(definition, reuse, { baseDir: plan.base_dir, env: plan.env, consumed });
  return { parts, print: phasePrint(parts) };
}

function hashOfArtifact(artifacts: readonly HashedArtifact[] | undefined, name: string): string | null {
  return artifacts?.find((artifact) => artifact.name === name)?.sha256 ?? null;
}

/**
 * Hashes the records of each shard of a phase that was cut, streaming, and keeps the hashes.
 *
 * @returns the hashes as one text, and where it is; undefined when the phase is not sharded
 */
export async function hashRecords(
  store: ArtifactStore,
  { records, shard_plan }: PhaseInputs,
  shardCount: number,
): Promise<{ readonly hashes: string; readonly kept: Content } | undefined> {
  if (records === null || shard_plan === null) return undefined;
  const hasher = new RangeHasher(rangesOf(await readShardPlan(store, shard_plan), shardCount));
  for await (const chunk of streamContent(store, records)) hasher.push(chunk);
  const hashes = hasher.end();
  return { hashes, kept: await keepContent(store, [Buffer.from(hashes)]) };
}

function* rangesOf(shardPlan: Uint8Array, shardCount: number): Generator<ShardRange> {
  for (let shard = 0; shard < shardCount; shard += 1) yield decodeShardRange(shardPlan, shard);
}
