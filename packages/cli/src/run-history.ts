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
import { contentOf } from "@fanfold/engine";
import type { Artifact, PhaseRecord } from "@fanfold/schemas";
import { readContent } from "@fanfold/store";
import { createTwoFilesPatch } from "diff";
import { CliError, EXIT } from "./exit-codes.ts";
import type { Session } from "./session.ts";

/** Largest output that is compared record by record or line by line, in bytes; both sides are held in memory. */
const MAX_COMPARED_BYTES = 64 * 1024 * 1024;

/** The revisions of a run's phases. @throws {CliError} when there is no such phase */
export async function loadHistory(
  session: Session,
  runId: string,
  phase: string | undefined,
): Promise<RevisionDocument[]> {
  const { runs } = session.store;
  const [{ graph }, records, earlier] = await Promise.all([
    session.engine.plan(runId),
    runs.loadPhases(runId),
    runs.loadRevisions(runId),
  ]);
  const wanted = new Set(instancesOf(graph, runId, phase));
  return historyDocument(graph, records, earlier).filter((revision) => wanted.has(revision.phase));
}

function instancesOf(graph: PlanGraph, runId: string, phase: string | undefined): readonly string[] {
  const instances = graph.instances(phase);
  if (instances.length > 0) return instances;
  throw new CliError(EXIT.notFound, `run ${runId} has no phase ${phase}; it has ${graph.ids.join(", ")}`);
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

/**
 * Compares revisions of phases.
 *
 * @param typed none: the last two of each phase; a phase: its last two; a revision: with the latest; or two revisions
 * @throws {CliError} when there is no such phase or revision
 */
export async function diffRevisions(
  session: Session,
  runId: string,
  typed: readonly string[],
): Promise<ArtifactDiff[]> {
  const { runs } = session.store;
  const [{ graph }, records, earlier] = await Promise.all([
    session.engine.plan(runId),
    runs.loadPhases(runId),
    runs.loadRevisions(runId),
  ]);
  const diffs: ArtifactDiff[] = [];
  for (const { phase, from, to } of choosePairs(graph, runId, records, typed)) {
    const keys = graph.phase(phase).merge;
    const key = keys.strategy === "records" ? keys.key : [];
    const of = (revision: number): PhaseRecord | undefined => {
      const latest = records.get(phase);
      return latest?.revision === revision ? latest : earlier.get(`${phase}.r${revision}`);
    };
    const [before, after] = [of(from), of(to)];
    if (before === undefined || after === undefined) throw noRevision(runId, phase, before === undefined ? from : to);
    diffs.push(...(await diffArtifacts(session, { phase, from, to, key }, before, after)));
  }
  return diffs;
}

interface Pair {
  readonly phase: string;
  readonly from: number;
  readonly to: number;
}

function choosePairs(
  graph: PlanGraph,
  runId: string,
  records: ReadonlyMap<string, PhaseRecord>,
  [revision, other]: readonly string[],
): Pair[] {
  if (revision === undefined) {
    return graph.ids.flatMap((phase) => {
      const latest = records.get(phase)?.revision ?? 0;
      return latest < 2 ? [] : [{ phase, from: latest - 1, to: latest }];
    });
  }
  const first = parseRevision(graph, runId, revision);
  const latest = records.get(first.phase)?.revision ?? 0;
  if (other === undefined) {
    const from = first.revision ?? latest - 1;
    return [{ phase: first.phase, from, to: latest }];
  }
  const second = parseRevision(graph, runId, other);
  if (second.phase !== first.phase) {
    throw new CliError(EXIT.usage, `${revision} and ${other} are revisions of different phases`);
  }
  return [{ phase: first.phase, from: first.revision ?? latest, to: second.revision ?? latest }];
}

function parseRevision(graph: PlanGraph, runId: string, text: string): { phase: string; revision: number | undefined } {
  const [, phase = text, number] = /^(.+)@r?(\d+)$/.exec(text) ?? [];
  const [id = phase] = instancesOf(graph, runId, phase);
  return { phase: id, revision: number === undefined ? undefined : Number(number) };
}

function noRevision(runId: string, phase: string, revision: number): CliError {
  const hint = `fanfold history ${runId} --phase ${phase}`;
  return new CliError(EXIT.notFound, `phase ${phase} has no revision ${revision} to compare; see: ${hint}`);
}

async function diffArtifacts(
  session: Session,
  pair: Pair & { readonly key: readonly string[] },
  before: PhaseRecord,
  after: PhaseRecord,
): Promise<ArtifactDiff[]> {
  const { phase, from, to, key } = pair;
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
    } else
      diffs.push({
        ...place,
        ...(await diffContents(session, { left, right, key, labels: [`${phase}@r${from}`, `${phase}@r${to}`] })),
      });
  }
  return diffs;
}

interface Sides {
  readonly left: Artifact;
  readonly right: Artifact;
  readonly key: readonly string[];
  readonly labels: readonly [string, string];
}

async function diffContents(
  session: Session,
  { left, right, key, labels }: Sides,
): Promise<Pick<ArtifactDiff, "records" | "patch" | "remark">> {
  if (Math.max(left.size_bytes, right.size_bytes) > MAX_COMPARED_BYTES) {
    return { remark: `too large to compare: ${left.size_bytes} and ${right.size_bytes} bytes` };
  }
  const { artifacts } = session.store;
  const [before, after] = [
    await readContent(artifacts, contentOf(left)),
    await readContent(artifacts, contentOf(right)),
  ];
  const [oldRecords, newRecords] = [await recordsOf(before), await recordsOf(after)];
  if (oldRecords !== undefined && newRecords !== undefined)
    return { records: diffRecords(oldRecords, newRecords, key) };
  if (before.includes(0) || after.includes(0)) return { remark: "binary contents that differ" };
  return { patch: createTwoFilesPatch(...labels, decode(before), decode(after), "", "", { context: 2 }) };
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
