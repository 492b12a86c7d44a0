import {
  diffRecords,
  historyDocument,
  type JsonValue,
  JsonlError,
  type PlanGraph,
  type RecordDiff,
  type RevisionDocument,
  readRecords,
} from "@fanfold/core";
import type { Artifact, PhaseRecord } from "@fanfold/schemas";
import { readContent } from "@fanfold/store";
import { createTwoFilesPatch } from "diff";
import { outputId } from "./artifact-records.ts";
import { contentOf } from "./content.ts";
import { EngineError } from "./engine-error.ts";
import type { RunEngine } from "./run-engine.ts";

/** Largest output that is compared by its contents unless the caller says otherwise, in bytes; both sides are held in memory. */
const MAX_COMPARED_BYTES = 64 * 1024 * 1024;
/** Longest time spent on the lines of one pair of texts, in ms: texts that have little in common take very long. */
const MAX_PATCH_MS = 3_000;

/** The revisions of a run's phases. @throws {EngineError} UNKNOWN_PHASE */
export async function loadHistory(
  engine: RunEngine,
  runId: string,
  phase: string | undefined,
): Promise<RevisionDocument[]> {
  const [{ graph, records, earlier }, counts] = await Promise.all([
    loadRevisions(engine, runId),
    engine.store.ledger.loadPhases(runId),
  ]);
  const wanted = new Set(instancesOf(graph, runId, phase));
  return historyDocument(graph, records, earlier, {
    counts,
    artifactId: (of, revision, name) => outputId(runId, { phase: of, revision }, name),
  }).filter((revision) => wanted.has(revision.phase));
}

interface Revisions {
  readonly graph: PlanGraph;
  readonly records: ReadonlyMap<string, PhaseRecord>;
  readonly earlier: ReadonlyMap<string, PhaseRecord>;
}

async function loadRevisions(engine: RunEngine, runId: string): Promise<Revisions> {
  const { runs } = engine.store;
  // a rerun may have given the run another plan since
  await engine.recall(runId);
  const [{ graph }, records, earlier] = await Promise.all([
    engine.plan(runId),
    runs.loadPhases(runId),
    runs.loadRevisions(runId),
  ]);
  return { graph, records, earlier };
}

function instancesOf(graph: PlanGraph, runId: string, phase: string | undefined): readonly string[] {
  const instances = graph.instances(phase);
  if (instances.length > 0) return instances;
  throw new EngineError("UNKNOWN_PHASE", `run ${runId} has no phase ${phase}; it has ${graph.ids.join(", ")}`);
}

/** How an artifact of one revision differs from that of another. Exactly one of the last three is there, unless it is the same. */
export interface ArtifactDiff {
  readonly phase: string;
  readonly from: number;
  readonly to: number;
  readonly name: string;
  readonly is_same: boolean;
  readonly records?: RecordDiff;
  /** Unified diff of text that is no records. */
  readonly patch?: string;
  /** Why the contents were not compared. */
  readonly remark?: string;
}

/** Which revisions to compare. */
export interface DiffScope {
  /** Id of a phase, or of all instances of one with a matrix; by default each phase that has two revisions. */
  readonly phase?: string | undefined;
  /** By default the one before `to`. */
  readonly from?: number | "latest" | undefined;
  /** By default the latest accepted one. */
  readonly to?: number | undefined;
  /** Largest output that is compared by its contents, in bytes. */
  readonly maxBytes?: number | undefined;
}

/**
 * Compares revisions of phases.
 *
 * @throws {EngineError} UNKNOWN_PHASE, UNKNOWN_REVISION
 */
export async function diffRevisions(engine: RunEngine, runId: string, scope: DiffScope): Promise<ArtifactDiff[]> {
  const revisions = await loadRevisions(engine, runId);
  const { graph, records, earlier } = revisions;
  const diffs: ArtifactDiff[] = [];
  for (const { phase, from, to } of choosePairs(revisions, runId, scope)) {
    const { merge } = graph.phase(phase);
    const of = (revision: number): PhaseRecord => {
      const latest = records.get(phase);
      const record = latest?.revision === revision ? latest : earlier.get(`${phase}.r${revision}`);
      if (record !== undefined && revision > 0) return record;
      const message = `phase ${phase} has no revision ${revision} to compare; see: fanfold history ${runId} --phase ${phase}`;
      throw new EngineError("UNKNOWN_REVISION", message);
    };
    const pair = {
      phase,
      from,
      to,
      key: merge.strategy === "records" ? merge.key : [],
      maxBytes: scope.maxBytes ?? MAX_COMPARED_BYTES,
    };
    diffs.push(...(await diffArtifacts(engine, pair, of(from), of(to))));
  }
  return diffs;
}

interface Pair {
  readonly phase: string;
  readonly from: number;
  readonly to: number;
}

function choosePairs({ graph, records }: Revisions, runId: string, { phase, from, to }: DiffScope): Pair[] {
  const instances = instancesOf(graph, runId, phase);
  const latestOf = (id: string): number => records.get(id)?.revision ?? 0;
  const isOpen = from === undefined && to === undefined;
  const withTwo = instances.filter((id) => latestOf(id) > 1);
  // where revisions are named, or none has two, the first one that lacks a revision is complained of
  const chosen = isOpen && (phase === undefined || withTwo.length > 0) ? withTwo : instances;
  return chosen.map((id) => {
    const last = to ?? latestOf(id);
    return { phase: id, from: from === "latest" ? latestOf(id) : (from ?? last - 1), to: last };
  });
}

interface ComparedPair extends Pair {
  readonly key: readonly string[];
  readonly maxBytes: number;
}

async function diffArtifacts(
  engine: RunEngine,
  pair: ComparedPair,
  before: PhaseRecord,
  after: PhaseRecord,
): Promise<ArtifactDiff[]> {
  const { phase, from, to } = pair;
  const old = new Map((before.artifacts ?? []).map((artifact) => [artifact.name, artifact]));
  const names = new Set([...old.keys(), ...(after.artifacts ?? []).map(({ name }) => name)]);
  const diffs: ArtifactDiff[] = [];
  for (const name of names) {
    const left = old.get(name);
    const right = after.artifacts?.find((artifact) => artifact.name === name);
    const is_same = left?.sha256 === right?.sha256;
    const place = { phase, from, to, name, is_same };
    if (is_same) diffs.push(place);
    else if (left === undefined || right === undefined) {
      diffs.push({ ...place, remark: left === undefined ? `only in r${to}` : `only in r${from}` });
    } else diffs.push({ ...place, ...(await diffContents(engine, pair, left, right)) });
  }
  return diffs;
}

async function diffContents(
  engine: RunEngine,
  { phase, from, to, key, maxBytes }: ComparedPair,
  left: Artifact,
  right: Artifact,
): Promise<Pick<ArtifactDiff, "records" | "patch" | "remark">> {
  if (Math.max(left.size_bytes, right.size_bytes) > maxBytes) {
    return { remark: `too large to compare: ${left.size_bytes} and ${right.size_bytes} bytes` };
  }
  const { artifacts } = engine.store;
  const [before, after] = [
    await readContent(artifacts, contentOf(left)),
    await readContent(artifacts, contentOf(right)),
  ];
  const [oldRecords, newRecords] = [await recordsOf(before), await recordsOf(after)];
  if (oldRecords !== undefined && newRecords !== undefined)
    return { records: diffRecords(oldRecords, newRecords, key) };
  if (before.includes(0) || after.includes(0)) return { remark: "binary contents that differ" };
  const options = { context: 2, timeout: MAX_PATCH_MS };
  const titles = [`${phase}@r${from}`, `${phase}@r${to}`] as const;
  const patch = createTwoFilesPatch(...titles, decode(before), decode(after), "", "", options);
  return patch === undefined ? { remark: "too different to compare line by line" } : { patch };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The records of an output; undefined when it is not JSONL. */
async function recordsOf(bytes: Uint8Array): Promise<JsonValue[] | undefined> {
  const records: JsonValue[] = [];
  try {
    for await (const { value } of readRecords(onePiece(bytes), { anyValue: true })) records.push(value);
  } catch (error) {
    if (error instanceof JsonlError) return undefined;
    throw error;
  }
  return records;
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
