import type { ArtifactRecord } from "@fanfold/schemas";
import type { ListedArtifact } from "./artifact-records.ts";
import { EngineError } from "./engine-error.ts";
import { type ArtifactScope, findArtifact, listOpenedRevisions, scanArtifacts } from "./list-artifacts.ts";
import type { RunEngine } from "./run-engine.ts";

/** Least characters of an artifact's id that may stand for it. */
const LEAST_ID = /^art_[0-9a-f]{6,}$/;

/** A place in a run: `PHASE`, `PHASE@r2`, `PHASE[3]`; then `/NAME`, where it is an artifact. */
export interface ArtifactPlace {
  readonly phases: readonly string[];
  readonly revision: number | undefined;
  readonly shard: number | undefined;
}

/**
 * The artifact a person means: its id or the beginning of one, `PHASE/NAME`, `PHASE@r2/NAME`, `PHASE[3]/NAME`, or the
 * `NAME` of a phase's output. Without a revision it is the latest that has it, and of several attempts the last.
 *
 * @throws {EngineError} UNKNOWN_ARTIFACT, UNKNOWN_PHASE
 */
export async function resolveArtifact(engine: RunEngine, runId: string, text: string): Promise<ListedArtifact> {
  const found = await search(engine, runId, text);
  if (found !== undefined) return found;
  const next = `\`fanfold artifacts ls ${runId}\` lists what there is`;
  throw new EngineError("UNKNOWN_ARTIFACT", `run ${runId} has no artifact ${text}; ${next}`);
}

/**
 * The artifact with an id.
 *
 * @param scope where it is, as far as that is known
 * @throws {EngineError} UNKNOWN_ARTIFACT
 */
export async function getArtifact(
  engine: RunEngine,
  runId: string,
  id: string,
  scope: ArtifactScope,
): Promise<ListedArtifact> {
  const found = await findArtifact(engine, runId, scope, ({ artifact_id }) => artifact_id === id);
  if (found !== undefined) return found;
  throw new EngineError("UNKNOWN_ARTIFACT", `run ${runId} has no artifact ${id} there`);
}

async function search(engine: RunEngine, runId: string, text: string): Promise<ListedArtifact | undefined> {
  if (LEAST_ID.test(text)) {
    return findArtifact(engine, runId, {}, ({ artifact_id }) => artifact_id.startsWith(text));
  }
  const slash = text.indexOf("/");
  if (slash > 0) {
    const place = await findPlace(engine, runId, text.slice(0, slash));
    if (place !== undefined) return findByName(engine, runId, place, text.slice(slash + 1));
  }
  const { graph } = await engine.plan(runId);
  const makers = graph.ids.filter((id) => graph.phase(id).provides.includes(text));
  return findByName(engine, runId, { phases: makers, revision: undefined, shard: undefined }, text);
}

/** Phases, revision and shard that a text names; undefined where it is none of the run's phases. */
export async function findPlace(engine: RunEngine, runId: string, text: string): Promise<ArtifactPlace | undefined> {
  const { graph } = await engine.plan(runId);
  const [, place = text, revisionText] = /^(.+)@r(\d+)$/.exec(text) ?? [];
  const revision = revisionText === undefined ? undefined : Number(revisionText);
  const phases = graph.instances(place);
  if (phases.length > 0) return { phases, revision, shard: undefined };
  const [, phase = "", shard] = /^(.+)\[(\d+)\]$/.exec(place) ?? [];
  const instances = graph.instances(phase);
  return instances.length === 0 ? undefined : { phases: instances, revision, shard: Number(shard) };
}

async function findByName(
  engine: RunEngine,
  runId: string,
  { phases, revision, shard }: ArtifactPlace,
  name: string,
): Promise<ListedArtifact | undefined> {
  if (phases.length > 1) {
    const names = phases.slice(0, 5).map((id) => `${id}/${name}`);
    throw new EngineError("UNKNOWN_ARTIFACT", `${name} is of several phases; say which: ${names.join(", ")}`);
  }
  const wanted = new Set(phases);
  const opened = await listOpenedRevisions(engine, runId, { phases: wanted, revision });
  for (const ref of opened.toReversed()) {
    const scope = { phases: new Set([ref.phase]), revision: ref.revision, shard };
    let found: ListedArtifact | undefined;
    for await (const listed of scanArtifacts(engine, runId, scope)) {
      if (found !== undefined && !isSamePlace(found.record, listed.record)) break;
      if (listed.record.name === name) found = listed;
    }
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSamePlace(a: ArtifactRecord, b: ArtifactRecord): boolean {
  return a.phase === b.phase && a.revision === b.revision && a.shard === b.shard;
}
