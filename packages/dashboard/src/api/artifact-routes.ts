import { basename } from "node:path/posix";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  contentOf,
  gatherLineage,
  getArtifact,
  lineageRoots,
  listArtifacts,
  outputId,
  type RunEngine,
} from "@fanfold/engine";
import {
  type Artifact,
  ArtifactContentQuerySchema,
  type ArtifactDocument,
  ArtifactDocumentSchema,
  ArtifactIdParamsSchema,
  ArtifactListQuerySchema,
  ArtifactPageSchema,
  ArtifactParamsSchema,
  ArtifactPlaceQuerySchema,
  ArtifactQuerySchema,
  ArtifactRecordSchema,
  type Content,
  LineageQuerySchema,
  LineageSchema,
  RunParamsSchema,
} from "@fanfold/schemas";
import { readContent, type Store, streamContent } from "@fanfold/store";
import type { Response } from "express";
import { z } from "zod";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute, rawRoute } from "./api-route.ts";
import { isShown, mediaTypeOf, SNIFFED_BYTES } from "./media-type.ts";

/** Artifacts of a list whose first bytes are looked at; the rest is judged by name. */
const MAX_SNIFFED = 200;

/** Routes that hand out what phases produced. */
export function artifactRoutes({ engine }: ApiParts): ApiRoute[] {
  const { store } = engine;
  return [
    jsonRoute({
      path: "/runs/:run/artifacts",
      summary: "Artifacts of the latest accepted revision of each phase",
      params: RunParamsSchema,
      answer: z.array(ArtifactDocumentSchema),
      handle: ({ params }) => listOutputs(store, params.run),
    }),
    rawRoute({
      path: "/runs/:run/artifacts/:phase/:name",
      summary: "The bytes of an artifact; text, JSON and images may be shown, anything else is an attachment",
      produces: "application/octet-stream",
      params: ArtifactParamsSchema,
      query: ArtifactQuerySchema,
      handle: async ({ params, query }, { res }) => {
        const artifact = await findArtifact(store, params);
        await sendArtifact(store, { ...artifact, content: contentOf(artifact) }, query, res);
      },
    }),
    ...recordRoutes(engine),
  ];
}

/** Routes of all that a run has made, with where it comes from. */
function recordRoutes(engine: RunEngine): ApiRoute[] {
  const { store } = engine;
  return [
    jsonRoute({
      path: "/runs/:run/artifact-records",
      summary: "All artifacts of a run: outputs of all revisions, of shards, collected files, logs, error contexts",
      params: RunParamsSchema,
      query: ArtifactListQuerySchema,
      answer: ArtifactPageSchema,
      handle: async ({ params, query: { phase, outputs, ...query } }) => {
        await store.runs.get(params.run);
        const phases = phase === undefined ? undefined : new Set([phase]);
        return listArtifacts(engine, params.run, { ...query, phases, outputsOnly: outputs === "1" });
      },
    }),
    jsonRoute({
      path: "/runs/:run/artifact-records/:artifact_id",
      summary: "An artifact of that list",
      params: ArtifactIdParamsSchema,
      query: ArtifactPlaceQuerySchema,
      answer: ArtifactRecordSchema,
      handle: async ({ params: { run, artifact_id: id }, query: { phase, shard } }) => {
        await store.runs.get(run);
        const phases = phase === undefined ? undefined : new Set([phase]);
        return (await getArtifact(engine, run, id, { phases, shard })).record;
      },
    }),
    rawRoute({
      path: "/runs/:run/artifact-records/:artifact_id/content",
      summary: "The bytes of an artifact of that list",
      produces: "application/octet-stream",
      params: ArtifactIdParamsSchema,
      query: ArtifactContentQuerySchema,
      handle: async ({ params: { run, artifact_id: id }, query: { phase, shard, ...query } }, { res }) => {
        await store.runs.get(run);
        const phases = phase === undefined ? undefined : new Set([phase]);
        const { record, content } = await getArtifact(engine, run, id, { phases, shard });
        await sendArtifact(store, { ...record, name: basename(record.name), content }, query, res);
      },
    }),
    jsonRoute({
      path: "/runs/:run/lineage",
      summary: "What was made from what, by what attempts were given",
      params: RunParamsSchema,
      query: LineageQuerySchema,
      answer: LineageSchema,
      handle: async ({ params: { run }, query: { of, direction } }) => {
        await store.runs.get(run);
        const roots = of === undefined ? [] : await lineageRoots(engine, run, of);
        return gatherLineage(engine, run, roots, direction);
      },
    }),
  ];
}

interface SentArtifact {
  readonly name: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly content: Content;
}

/** What is shown is known to be harmless by its name or its bytes, whatever its maker says of it. */
async function sendArtifact(
  store: Store,
  { name, size_bytes, sha256, content }: SentArtifact,
  query: z.output<typeof ArtifactQuerySchema>,
  res: Response,
): Promise<void> {
  const type = mediaTypeOf(name, await readHead(store, size_bytes, content));
  const isAttached = query.download === "1" || !isShown(type);
  if (isAttached) res.attachment(name);
  const range = { start: 0, end: Math.min(size_bytes, query.limit ?? size_bytes) };
  res.set({
    "Content-Type": isShown(type) ? `${type}${type.startsWith("image/") ? "" : "; charset=utf-8"}` : type,
    "Content-Length": String(range.end),
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "X-Artifact-Sha256": sha256,
  });
  if (range.end === 0) return void res.end();
  await pipeline(Readable.from(streamContent(store.artifacts, content, range)), res);
}

async function listOutputs(store: Store, runId: string): Promise<ArtifactDocument[]> {
  await store.runs.get(runId);
  const phases = await store.runs.loadPhases(runId);
  const all = [...phases].flatMap(([phase, { revision, artifacts = [] }]) =>
    artifacts.map((artifact) => ({ phase, revision, artifact })),
  );
  return Promise.all(
    all.map(async ({ phase, revision, artifact }, i) => {
      const { name, size_bytes, sha256, meta } = artifact;
      const isCheap = artifact.inline !== undefined || i < MAX_SNIFFED;
      const head = isCheap ? await readHead(store, size_bytes, contentOf(artifact)).catch(() => EMPTY) : EMPTY;
      return {
        phase,
        revision,
        name,
        size_bytes,
        sha256,
        media_type: meta?.media_type ?? mediaTypeOf(name, head),
        artifact_id: outputId(runId, { phase, revision }, name),
        type: meta?.type ?? "file",
        format: meta?.format ?? null,
        metadata: meta?.metadata ?? {},
      };
    }),
  );
}

const EMPTY = new Uint8Array();

async function findArtifact(
  store: Store,
  { run, phase, name }: z.output<typeof ArtifactParamsSchema>,
): Promise<Artifact> {
  await store.runs.get(run);
  const artifacts = (await store.runs.loadPhases(run)).get(phase)?.artifacts ?? [];
  const artifact = artifacts.find((one) => one.name === name);
  if (artifact !== undefined) return artifact;
  throw new ApiFailure("NOT_FOUND", `phase ${phase} of run ${run} has no artifact ${name}`);
}

function readHead(store: Store, sizeBytes: number, content: Content): Promise<Uint8Array> {
  const end = Math.min(SNIFFED_BYTES, sizeBytes);
  if (end === 0) return Promise.resolve(EMPTY);
  return readContent(store.artifacts, content, { start: 0, end });
}
