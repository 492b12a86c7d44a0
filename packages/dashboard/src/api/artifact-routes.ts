import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { contentOf } from "@fanfold/engine";
import {
  type Artifact,
  type ArtifactDocument,
  ArtifactDocumentSchema,
  ArtifactParamsSchema,
  ArtifactQuerySchema,
  RunParamsSchema,
} from "@fanfold/schemas";
import { readContent, type Store, streamContent } from "@fanfold/store";
import { z } from "zod";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute, rawRoute } from "./api-route.ts";
import { isShown, mediaTypeOf, SNIFFED_BYTES } from "./media-type.ts";

/** Artifacts of a list whose first bytes are looked at; the rest is judged by name. */
const MAX_SNIFFED = 200;

/** Routes that hand out what phases produced. */
export function artifactRoutes({ engine: { store } }: ApiParts): ApiRoute[] {
  return [
    jsonRoute({
      path: "/runs/:run/artifacts",
      summary: "Artifacts of the latest accepted revision of each phase",
      params: RunParamsSchema,
      answer: z.array(ArtifactDocumentSchema),
      handle: ({ params }) => listArtifacts(store, params.run),
    }),
    rawRoute({
      path: "/runs/:run/artifacts/:phase/:name",
      summary: "The bytes of an artifact; text, JSON and images may be shown, anything else is an attachment",
      produces: "application/octet-stream",
      params: ArtifactParamsSchema,
      query: ArtifactQuerySchema,
      handle: async ({ params, query }, { res }) => {
        const artifact = await findArtifact(store, params);
        const type = mediaTypeOf(artifact.name, await readHead(store, artifact));
        const isAttached = query.download === "1" || !isShown(type);
        if (isAttached) res.attachment(artifact.name);
        const range = { start: 0, end: Math.min(artifact.size_bytes, query.limit ?? artifact.size_bytes) };
        res.set({
          "Content-Type": isShown(type) ? `${type}${type.startsWith("image/") ? "" : "; charset=utf-8"}` : type,
          "Content-Length": String(range.end),
          "Content-Security-Policy": "default-src 'none'; sandbox",
          "X-Content-Type-Options": "nosniff",
          "X-Artifact-Sha256": artifact.sha256,
        });
        if (range.end === 0) return void res.end();
        await pipeline(Readable.from(streamContent(store.artifacts, contentOf(artifact), range)), res);
      },
    }),
  ];
}

async function listArtifacts(store: Store, runId: string): Promise<ArtifactDocument[]> {
  await store.runs.get(runId);
  const phases = await store.runs.loadPhases(runId);
  const all = [...phases].flatMap(([phase, { revision, artifacts = [] }]) =>
    artifacts.map((artifact) => ({ phase, revision, artifact })),
  );
  return Promise.all(
    all.map(async ({ phase, revision, artifact }, i) => {
      const { name, size_bytes, sha256 } = artifact;
      const isCheap = artifact.inline !== undefined || i < MAX_SNIFFED;
      const head = isCheap ? await readHead(store, artifact).catch(() => EMPTY) : EMPTY;
      return { phase, revision, name, size_bytes, sha256, media_type: mediaTypeOf(name, head) };
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

function readHead(store: Store, artifact: Artifact): Promise<Uint8Array> {
  const end = Math.min(SNIFFED_BYTES, artifact.size_bytes);
  if (end === 0) return Promise.resolve(EMPTY);
  return readContent(store.artifacts, contentOf(artifact), { start: 0, end });
}
