import { isApproval, type PlanGraph } from "@fanfold/core";
import type { ArtifactPage, ArtifactType, CompiledPhase, PhaseRecord, ShardRecord } from "@fanfold/schemas";
import { isDirect, type PhaseRef } from "@fanfold/store";
import {
  answerArtifacts,
  type ArtifactSource,
  foldArtifacts,
  type ListedArtifact,
  shardArtifacts,
} from "./artifact-records.ts";
import { EngineError } from "./engine-error.ts";
import type { RunEngine } from "./run-engine.ts";

/** Shards read in one round trip. */
const PAGE = 200;
/** Where the artifacts of a merge stand among those of the shards. */
const FOLD = -1;

/** Which artifacts of a run. */
export interface ArtifactScope {
  /** Ids of phases; all when missing. */
  readonly phases?: ReadonlySet<string> | undefined;
  readonly revision?: number | undefined;
  readonly shard?: number | undefined;
  readonly type?: ArtifactType | undefined;
  /** Part of a name; case does not matter. */
  readonly name?: string | undefined;
  /** Only what belongs to phases as a whole, not to shards of theirs. */
  readonly outputsOnly?: boolean | undefined;
}

/** A place in the order of a run's artifacts: phases as declared, revisions, what the merge made, shards, attempts. */
interface Position extends PhaseRef {
  readonly shard: number;
  /** Artifacts of that shard that come before. */
  readonly skip: number;
}

type Placed = ListedArtifact & { readonly next: Position };

/**
 * A page of a run's artifacts. It reads the records of the shards it shows, and those it passes over; what a run
 * with many shards has is listed page by page.
 *
 * @param options `cursor` of the page before
 * @throws {StoreError} RUN_NOT_FOUND
 * @throws {EngineError} INVALID_CURSOR
 */
export async function listArtifacts(
  engine: RunEngine,
  runId: string,
  { cursor, limit, ...scope }: ArtifactScope & { cursor?: string | undefined; limit: number },
): Promise<ArtifactPage> {
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  const artifacts: ListedArtifact["record"][] = [];
  let last: Position | undefined;
  for await (const { record, next } of scanArtifacts(engine, runId, scope, after)) {
    if (artifacts.length === limit) return { artifacts, next_cursor: last === undefined ? null : toCursor(last) };
    artifacts.push(record);
    last = next;
  }
  return { artifacts, next_cursor: null };
}

/** The first artifact of a run that is wanted, with where its bytes are. */
export async function findArtifact(
  engine: RunEngine,
  runId: string,
  scope: ArtifactScope,
  isWanted: (record: ListedArtifact["record"]) => boolean,
): Promise<ListedArtifact | undefined> {
  for await (const listed of scanArtifacts(engine, runId, scope)) if (isWanted(listed.record)) return listed;
  return undefined;
}

/** All artifacts of a run in their order. @throws {StoreError} RUN_NOT_FOUND */
export async function* scanArtifacts(
  engine: RunEngine,
  runId: string,
  scope: ArtifactScope,
  after?: Position,
): AsyncGenerator<Placed> {
  for (const source of await listSources(engine, runId, scope)) {
    const isBegun = after?.phase === source.phase && after.revision === source.revision;
    if (after !== undefined && !isBegun) continue;
    yield* scanPhase(engine, source, scope, isBegun ? after : undefined);
    after = undefined;
  }
}

/** The phase revisions of a run that were opened, or answered by a person, in the order of the plan. */
export async function listOpenedRevisions(
  engine: RunEngine,
  runId: string,
  scope: Pick<ArtifactScope, "phases" | "revision">,
): Promise<PhaseRef[]> {
  const { graph } = await engine.plan(runId);
  const order = new Map(graph.ids.map((id, index) => [id, index]));
  const answered = await listAnswered(engine, runId, graph);
  const opened = [...(await engine.store.removals.listOpened(runId)), ...answered].filter(
    ({ phase, revision }, index, all) =>
      order.has(phase) &&
      // what was opened under an earlier plan, and is a question in this one
      (!isApproval(graph.phase(phase)) || index >= all.length - answered.length) &&
      (scope.phases === undefined || scope.phases.has(phase)) &&
      (scope.revision === undefined || scope.revision === revision),
  );
  return opened.sort((a, b) => (order.get(a.phase) ?? 0) - (order.get(b.phase) ?? 0) || a.revision - b.revision);
}

/** Accepted revisions of phases that ask a person: these are never opened. */
async function listAnswered({ store }: RunEngine, runId: string, graph: PlanGraph): Promise<PhaseRef[]> {
  const approvals = graph.ids.filter((id) => isApproval(graph.phase(id)));
  if (approvals.length === 0) return [];
  const records = await store.runs.findPhases(runId, approvals);
  return [...records].flatMap(([phase, { revision }]) =>
    Array.from({ length: revision }, (_, i) => ({ phase, revision: i + 1 })),
  );
}

/** Record of an accepted revision, be it the latest or an earlier one. */
async function findAccepted(
  { store }: RunEngine,
  runId: string,
  { phase, revision }: PhaseRef,
): Promise<PhaseRecord | undefined> {
  const latest = (await store.runs.findPhases(runId, [phase])).get(phase);
  return latest?.revision === revision ? latest : store.runs.findRevision(runId, { phase, revision });
}

async function listSources(engine: RunEngine, runId: string, scope: ArtifactScope): Promise<ArtifactSource[]> {
  const { store } = engine;
  const { graph } = await engine.plan(runId);
  const opened = await listOpenedRevisions(engine, runId, scope);
  const locate = (sha256: string): string => store.artifacts.locate(sha256);
  return opened.map((ref) => ({ ...ref, runId, definition: graph.phase(ref.phase), locate }));
}

async function* scanPhase(
  engine: RunEngine,
  source: ArtifactSource,
  scope: ArtifactScope,
  after: Position | undefined,
): AsyncGenerator<Placed> {
  const isDirectPhase = isDirect(source.definition);
  const shard = after?.shard ?? FOLD;
  if (isApproval(source.definition)) {
    const record = scope.shard === undefined ? await findAccepted(engine, source.runId, source) : undefined;
    if (record !== undefined) yield* place(source, answerArtifacts(source, record), { shard: FOLD, scope, after });
    return;
  }
  if (!isDirectPhase && shard === FOLD && scope.shard === undefined) {
    const fold = await engine.store.ledger.findFold(source.runId, source);
    yield* place(source, fold === undefined ? [] : foldArtifacts(source, fold), { shard: FOLD, scope, after });
  }
  if (scope.outputsOnly === true && !isWhole(source.definition)) return;
  for await (const [index, record] of scanShards(engine, source, scope.shard, Math.max(shard, 0))) {
    yield* place(source, shardArtifacts(source, index, record), { shard: index, scope, after });
  }
}

/** Whether what its one shard leaves belongs to the phase as a whole. */
function isWhole({ shard }: CompiledPhase): boolean {
  return shard === null;
}

function* place(
  { phase, revision }: PhaseRef,
  listed: readonly ListedArtifact[],
  { shard, scope, after }: { shard: number; scope: ArtifactScope; after: Position | undefined },
): Generator<Placed> {
  const skipped = after?.shard === shard ? after.skip : 0;
  for (const [index, one] of listed.entries()) {
    if (index < skipped || !isInScope(one.record, scope)) continue;
    yield { ...one, next: { phase, revision, shard, skip: index + 1 } };
  }
}

function isInScope({ type, name }: ListedArtifact["record"], scope: ArtifactScope): boolean {
  if (scope.type !== undefined && type !== scope.type) return false;
  return scope.name === undefined || name.toLowerCase().includes(scope.name.toLowerCase());
}

/** Shards with a record, which are the first ones: they are released in their order. */
async function* scanShards(
  { store }: RunEngine,
  { runId, ...ref }: ArtifactSource,
  only: number | undefined,
  from: number,
): AsyncGenerator<[index: number, record: ShardRecord]> {
  if (only !== undefined) {
    const record = await store.ledger.findShard(runId, { ...ref, shard: only });
    if (record !== undefined && only >= from) yield [only, record];
    return;
  }
  for (let first = from; ; first += PAGE) {
    const records = await store.ledger.listShards(runId, ref, first, first + PAGE);
    for (const [i, record] of records.entries()) if (record !== undefined) yield [first + i, record];
    if (records.at(-1) === undefined) return;
  }
}

function toCursor({ phase, revision, shard, skip }: Position): string {
  return Buffer.from(JSON.stringify([phase, revision, shard, skip])).toString("base64url");
}

function parseCursor(text: string): Position {
  const fields = readJson(Buffer.from(text, "base64url").toString("utf8"));
  const [phase, revision, shard, skip] = Array.isArray(fields) ? fields : [];
  if (typeof phase === "string" && [revision, shard, skip].every(Number.isInteger)) {
    return { phase, revision: Number(revision), shard: Number(shard), skip: Number(skip) };
  }
  throw new EngineError("INVALID_CURSOR", `${JSON.stringify(text)} is not the cursor of a page; begin without one`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
