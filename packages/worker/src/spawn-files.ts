import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { spawnedPhaseId } from "@fanfold/core";
import { contentOf, keepContent } from "@fanfold/engine";
import {
  type ConsumedInput,
  MAX_SPAWN_REASON_CHARS,
  type SpawnedBy,
  type SpawnedChild,
  type SpawnRequest,
  SpawnRequestSchema,
} from "@fanfold/schemas";
import { readContent, type ShardRef, type Store, StoreError, streamContent } from "@fanfold/store";
import type { AskedChild, AttemptSpawn, SpawnOrder } from "./attempt/attempt-spec.ts";
import type { AttemptTask } from "./execute-attempt.ts";

/** Largest request that is kept in Redis, in bytes; a longer one goes to the artifact store. */
const MAX_INLINE_REQUEST_BYTES = 1024;

/** What an attempt is told of spawning, and the artifacts of its children it is given. */
export interface PreparedSpawn {
  readonly spawn: AttemptSpawn;
  readonly consumed: readonly ConsumedInput[];
}

/** Fetches what an attempt is told of spawning: why it was spawned itself, and what its children made. */
export async function prepareSpawn(store: Store, task: AttemptTask): Promise<PreparedSpawn> {
  const { plan, phase, children, scratch } = task;
  const dir = join(scratch.dir, "spawned");
  const consumed = children.length > 0 ? await fetchChildren(store, task, dir) : [];
  const spawn: AttemptSpawn = {
    plan: plan.plan,
    earlier: children.length,
    round: new Set(children.map(({ attempt }) => attempt)).size,
    childrenDir: children.length > 0 ? dir : null,
    order: phase.spawned === undefined ? null : await writeOrder(store, phase.spawned, join(scratch.dir, "spawn.json")),
  };
  return { spawn, consumed };
}

async function writeOrder(store: Store, by: SpawnedBy, file: string): Promise<{ value: SpawnOrder; file: string }> {
  const text = Buffer.from(await readContent(store.artifacts, by.request)).toString("utf8");
  const { phase: _phase, ...asked } = SpawnRequestSchema.parse(JSON.parse(text));
  const { phase, revision, shard, attempt, depth } = by;
  const value: SpawnOrder = { ...asked, depth, spawner: { phase, revision, shard, attempt } };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
  return { value, file };
}

/** One directory for each key; of several children with one key the latest counts. */
async function fetchChildren(store: Store, { runId, children }: AttemptTask, dir: string): Promise<ConsumedInput[]> {
  const consumed: ConsumedInput[] = [];
  const records = await store.runs.loadPhases(runId);
  const latest = new Map(children.map(({ key, child }) => [key, child]));
  for (const [key, child] of latest) {
    const { artifacts, revision } = records.get(child) ?? { artifacts: undefined, revision: 0 };
    if (artifacts === undefined) {
      throw new StoreError("ARTIFACT_NOT_FOUND", `${child}, which was spawned before this attempt, has no output`);
    }
    await mkdir(join(dir, key), { recursive: true });
    for (const artifact of artifacts) {
      const to = createWriteStream(join(dir, key, artifact.name), { mode: 0o444 });
      await pipeline(streamContent(store.artifacts, contentOf(artifact)), to);
      const { name, sha256, size_bytes } = artifact;
      consumed.push({ name, phase: child, revision, sha256, size_bytes });
    }
  }
  return consumed;
}

/** The children that an attempt asked for, as the record of its shard names them; their requests are kept. */
export async function keepChildren(
  store: Store,
  { ref, attempt }: { readonly ref: ShardRef; readonly attempt: number },
  asked: readonly AskedChild[],
): Promise<SpawnedChild[]> {
  const children: SpawnedChild[] = [];
  for (const { request, copyOf } of asked) {
    const { key } = request;
    const text = Buffer.from(JSON.stringify(request));
    children.push({
      child: spawnedPhaseId(copyOf, { ...ref, attempt, key }),
      copy_of: copyOf.id,
      attempt,
      key,
      ...reasonOf(request),
      request: await keepContent(store.artifacts, [text], MAX_INLINE_REQUEST_BYTES),
    });
  }
  return children;
}

function reasonOf({ regression_context }: SpawnRequest): { reason?: string } {
  const reason = regression_context?.reason;
  return reason === undefined ? {} : { reason: reason.slice(0, MAX_SPAWN_REASON_CHARS) };
}
