import { createWriteStream } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  decodeShardEntry,
  isPhaseOver,
  RECORDS_HASH_BYTES,
  SHARD_PLAN_ENTRY_BYTES,
  SHARD_PLAN_HEADER_BYTES,
  shardFingerprint,
  type ShardRange,
} from "@fanfold/core";
import {
  artifactOf,
  contentOf,
  loadPinnedInputs,
  printOf,
  readShardPlan,
  type RunPlan,
  shardPlanBytes,
  systemClock,
} from "@fanfold/engine";
import type { Artifact, CompiledPhase, ConsumedInput, Content, PhaseInputs, ShardPlanContent } from "@fanfold/schemas";
import {
  type BlockRef,
  blockName,
  type PhaseRef,
  phaseRevisionId,
  readContent,
  type ShardRef,
  type Store,
  StoreError,
  streamContent,
} from "@fanfold/store";

import { ScratchDirs } from "./scratch-dirs.ts";
import { writeSmall } from "./small-file.ts";
import { consumedSetId } from "./consumed-set.ts";

/** Inputs of a phase that is neither cut into shards nor reused. */
const NO_INPUTS: PhaseInputs = { source: null, records: null, shard_plan: null };

/** Phases whose inputs a worker keeps at hand. */
const KEPT_PHASES = 32;
/** Shard plan and records of a phase that are kept in memory, in bytes. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** Runs whose edition a worker remembers: more than it keeps phases of. */
const KEPT_RUNS = 200;

/** Records that are written in one piece and at once, in bytes. */
const SMALL_RECORDS_BYTES = 64 * 1024;

interface PhaseFiles {
  readonly inputs: PhaseInputs;
  readonly artifactsDir: string;
  /** What is in the directory and in the records. */
  readonly consumed: readonly ConsumedInput[];
  /** What has been read of it so far. */
  readonly kept: { small?: Promise<SmallInputs> };
}

/** Shard plan and records of a phase, as a whole. */
interface SmallInputs {
  readonly plan: Uint8Array;
  readonly records: Uint8Array;
}

/** The attempt of a shard, or (-1) of a merge, that inputs are fetched for. */
export interface InputReader extends ShardRef {
  readonly attempt: number;
}

/**
 * Brings the inputs of shards onto this machine: the consumed artifacts once a phase, the records shard by
 * shard. The files of a phase are read-only and shared by its attempts here.
 */
export class ShardInputs {
  readonly #store: Store;
  readonly #dir: string;
  /** Directories for attempts of commands. */
  readonly scratch: ScratchDirs;
  readonly #phases = new Map<string, Promise<PhaseFiles>>();
  /** Sets of artifacts that are noted, of the phases that are kept. */
  readonly #noted = new Set<string>();
  /** Editions of the runs the phases are of. */
  readonly #editions = new Map<string, string | undefined>();

  /** @param dir directory of this worker alone */
  constructor(store: Store, dir: string) {
    this.#store = store;
    this.#dir = dir;
    this.scratch = new ScratchDirs(join(dir, "attempts"));
  }

  /** Directory of one attempt, which nothing else uses. It is not made. */
  scratchDir(runId: string, ref: ShardRef, attempt: number): string {
    return join(this.#phaseDir(runId, ref), `${ref.shard}.${attempt}`);
  }

  /** Directory of one try of a block, for those of its attempts. It is not made. */
  blockDir(runId: string, block: BlockRef, attempt: number): string {
    return join(this.#phaseDir(runId, block), `block-${blockName(block)}.${attempt}`);
  }

  /** Directory with one file for each artifact the phase consumes. It exists only when there is one. */
  async artifactsDir(runId: string, ref: PhaseRef, phase: CompiledPhase): Promise<string> {
    return (await this.#phaseFiles(runId, ref, phase)).artifactsDir;
  }

  /**
   * Notes which artifacts an attempt is given; once for all attempts of a phase here.
   *
   * @param own what is given to this attempt alone
   * @returns id of the set, for the record of the attempt; undefined when it is given none
   */
  async noteConsumed(
    runId: string,
    reader: InputReader,
    phase: CompiledPhase,
    own: readonly ConsumedInput[] = [],
  ): Promise<string | undefined> {
    const consumed = [...(await this.#phaseFiles(runId, reader, phase)).consumed, ...own];
    const id = consumedSetId(consumed);
    if (id === undefined) return undefined;
    const key = `${this.#phaseId(runId, reader)} ${id}`;
    if (this.#noted.has(key)) return id;
    const { shard, attempt } = reader;
    const consumption = { artifacts: consumed, shard, attempt, at_ms: systemClock.nowMs() };
    await this.#store.consumptions.record(runId, reader, id, consumption);
    this.#noted.add(key);
    return id;
  }

  /** The records of a shard, as text; undefined when the phase is not sharded. */
  async readRecords(runId: string, ref: ShardRef, phase: CompiledPhase): Promise<string | undefined> {
    const [records] = (await this.readBlock(runId, ref, { phase, size: 1, maxBytes: Infinity })) ?? [];
    return records;
  }

  /**
   * The records of `size` shards from `first` on, as texts, read as one; none when they are more than `maxBytes`, and
   * undefined when the phase is not sharded.
   */
  async readBlock(
    runId: string,
    first: ShardRef,
    { phase, size, maxBytes }: { phase: CompiledPhase; size: number; maxBytes: number },
  ): Promise<string[] | undefined> {
    const files = await this.#phaseFiles(runId, first, phase);
    const { records, shard_plan: plan } = files.inputs;
    if (records === null || plan === null) return undefined;
    const start = SHARD_PLAN_HEADER_BYTES + first.shard * SHARD_PLAN_ENTRY_BYTES;
    const range = { start, end: start + size * SHARD_PLAN_ENTRY_BYTES };
    const whole = await this.#readSmall(files, plan, records);
    const { artifacts } = this.#store;
    const entries = whole?.plan.subarray(range.start, range.end) ?? (await readShardPlan(artifacts, plan, range));
    const shards = Array.from({ length: size }, (_, i) =>
      decodeShardEntry(entries.subarray(i * SHARD_PLAN_ENTRY_BYTES, (i + 1) * SHARD_PLAN_ENTRY_BYTES)),
    );
    const [byteStart, byteEnd] = [shards[0]?.byteStart ?? 0, shards.at(-1)?.byteEnd ?? 0];
    if (byteEnd - byteStart > maxBytes) return [];
    const part = { start: byteStart, end: byteEnd };
    const bytes = whole?.records.subarray(part.start, part.end) ?? (await readContent(artifacts, records, part));
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return shards.map((shard) => all.toString("utf8", shard.byteStart - byteStart, shard.byteEnd - byteStart));
  }

  /** Shard plan and records of a phase where both are small; they are kept with what is known of the phase. */
  #readSmall(files: PhaseFiles, plan: ShardPlanContent, records: Content): Promise<SmallInputs> | undefined {
    if (shardPlanBytes(plan) + bytesOf(records) > MAX_KEPT_BYTES) return undefined;
    if (files.kept.small !== undefined) return files.kept.small;
    const { artifacts } = this.#store;
    const small = Promise.all([readShardPlan(artifacts, plan), readContent(artifacts, records)]).then(
      ([planBytes, recordBytes]) => ({ plan: planBytes, records: recordBytes }),
    );
    files.kept.small = small;
    small.catch(() => delete files.kept.small);
    return small;
  }

  /** Writes the records of a shard to `file`. @returns the file, or null when the phase is not sharded */
  async writeRecords(runId: string, ref: ShardRef, phase: CompiledPhase, file: string): Promise<string | null> {
    const files = await this.#phaseFiles(runId, ref, phase);
    const { records, shard_plan: plan } = files.inputs;
    if (records === null || plan === null) return null;
    const whole = await this.#readSmall(files, plan, records);
    const range = await this.#rangeOf(whole?.plan ?? plan, ref.shard);
    const bytes = { start: range.byteStart, end: range.byteEnd };
    if (bytes.end - bytes.start <= SMALL_RECORDS_BYTES) {
      const kept = whole?.records.subarray(bytes.start, bytes.end);
      writeSmall(file, kept ?? (await readContent(this.#store.artifacts, records, bytes)));
      return file;
    }
    await mkdir(dirname(file), { recursive: true });
    await pipeline(streamContent(this.#store.artifacts, records, bytes), createWriteStream(file));
    return file;
  }

  /**
   * Fingerprint of a shard by what it got here; undefined when its output is not to be reused, also because a consumed
   * artifact is another one by now than when the phase was opened.
   */
  async findFingerprint(runId: string, ref: ShardRef, { plan, graph }: RunPlan): Promise<string | undefined> {
    const definition = graph.phase(ref.phase);
    const { inputs, consumed } = await this.#phaseFiles(runId, ref, definition);
    const artifactsOf = (phase: string): ConsumedInput[] => consumed.filter((input) => input.phase === phase);
    const common = printOf({ plan, definition, inputs: { artifactsOf } });
    if (inputs.reuse === undefined || common?.print !== inputs.reuse.print) return undefined;
    if (inputs.reuse.records === null) return shardFingerprint(common.print, null);
    const start = ref.shard * RECORDS_HASH_BYTES;
    const range = { start, end: start + RECORDS_HASH_BYTES };
    const hash = await readContent(this.#store.artifacts, inputs.reuse.records, range);
    return shardFingerprint(common.print, Buffer.from(hash).toString());
  }

  /** Forgets the phases of another edition of the run: one of the same id that was removed, or before a rerun. */
  keepOnly(runId: string, edition: string | undefined): void {
    if (this.#editions.get(runId) === edition) return;
    for (const id of this.#phases.keys()) if (id.startsWith(`${runId}/`)) this.#forget(id);
    this.#editions.delete(runId);
    this.#editions.set(runId, edition);
    if (this.#editions.size > KEPT_RUNS) {
      const [oldest] = this.#editions.keys();
      if (oldest !== undefined) this.#editions.delete(oldest);
    }
  }

  /** Removes every file. */
  async dispose(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #rangeOf(shardPlan: ShardPlanContent | Uint8Array, shard: number): Promise<ShardRange> {
    const start = SHARD_PLAN_HEADER_BYTES + shard * SHARD_PLAN_ENTRY_BYTES;
    const range = { start, end: start + SHARD_PLAN_ENTRY_BYTES };
    if (shardPlan instanceof Uint8Array) return decodeShardEntry(shardPlan.subarray(range.start, range.end));
    return decodeShardEntry(await readShardPlan(this.#store.artifacts, shardPlan, range));
  }

  #phaseFiles(runId: string, ref: PhaseRef, phase: CompiledPhase): Promise<PhaseFiles> {
    const id = this.#phaseId(runId, ref);
    const kept = this.#phases.get(id);
    if (kept !== undefined) return kept;
    const preparing = this.#prepare(runId, ref, phase);
    this.#phases.set(id, preparing);
    preparing.catch(() => this.#phases.delete(id));
    if (this.#phases.size > KEPT_PHASES) {
      const [oldest] = this.#phases.keys();
      if (oldest !== undefined) this.#forget(oldest);
    }
    return preparing;
  }

  #phaseId(runId: string, ref: PhaseRef): string {
    return `${runId}/${phaseRevisionId(ref.phase, ref.revision)}`;
  }

  #forget(phaseId: string): void {
    this.#phases.delete(phaseId);
    for (const noted of this.#noted) if (noted.startsWith(`${phaseId} `)) this.#noted.delete(noted);
  }

  async #prepare(runId: string, ref: PhaseRef, phase: CompiledPhase): Promise<PhaseFiles> {
    const artifactsDir = join(this.#phaseDir(runId, ref), "artifacts");
    const fetched = phase.consumes.length > 0 ? await this.#fetchArtifacts(runId, phase, artifactsDir) : [];
    const isBare = phase.shard === null && phase.reuse === undefined;
    const inputs = isBare ? NO_INPUTS : await this.#store.ledger.getInputs(runId, ref);
    return { inputs, artifactsDir, consumed: [...fetched, ...sourceOf(phase, inputs)], kept: {} };
  }

  async #fetchArtifacts(runId: string, phase: CompiledPhase, dir: string): Promise<ConsumedInput[]> {
    const fetched: ConsumedInput[] = [];
    await mkdir(dir, { recursive: true });
    const inputs = await loadPinnedInputs(this.#store, runId, phase);
    for (const { name, sources } of phase.consumes) {
      for (const source of sources) {
        const record = inputs.recordOf(source.phase);
        const artifact = inputs.artifactsOf(source.phase)?.find((candidate) => candidate.name === name);
        if (artifact === undefined) {
          // its edges let the phase run without this source: then there is no such file
          if (record !== undefined && isPhaseOver(record.status)) continue;
          const what = `phase ${phase.id} consumes ${name}, which ${source.phase} has not provided in this run`;
          throw new StoreError("ARTIFACT_NOT_FOUND", what);
        }
        await this.#fetch(artifact, join(dir, name, source.label));
        const { sha256, size_bytes } = artifact;
        fetched.push({ name, phase: source.phase, revision: inputs.revisionOf(source.phase), sha256, size_bytes });
      }
    }
    return fetched;
  }

  async #fetch(artifact: Artifact, file: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true });
    await pipeline(streamContent(this.#store.artifacts, contentOf(artifact)), createWriteStream(file));
    await chmod(file, 0o444);
  }

  #phaseDir(runId: string, ref: PhaseRef): string {
    const edition = this.#editions.get(runId) ?? "";
    return join(this.#dir, runId, edition, phaseRevisionId(ref.phase, ref.revision));
  }
}

function bytesOf(content: Content): number {
  return "inline" in content ? Buffer.byteLength(content.inline) : content.size_bytes;
}

/** The artifact whose records the shards are given, where it is one. */
function sourceOf({ shard, over_phase }: CompiledPhase, { source, source_revision }: PhaseInputs): ConsumedInput[] {
  if (over_phase === null || source === null || typeof shard?.over !== "string") return [];
  const { name, sha256, size_bytes } = artifactOf(shard.over, source);
  return [{ name, phase: over_phase, revision: source_revision ?? 0, sha256, size_bytes }];
}
