import {
  PhaseParamsSchema,
  ShardDetailSchema,
  type ShardPage,
  ShardPageSchema,
  ShardParamsSchema,
  type ShardQuery,
  ShardQuerySchema,
} from "@fanfold/schemas";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { findPhase, listAttempts, outputFacts, type PhasePlace, shardRow } from "./shard-facts.ts";

/** Routes that look at shards. */
export function shardRoutes(parts: ApiParts): ApiRoute[] {
  const { engine, basePath } = parts;
  return [
    jsonRoute({
      path: "/runs/:run/phases/:phase/shards",
      summary: "Shards of a phase: filtered, sorted, page by page",
      params: PhaseParamsSchema,
      query: ShardQuerySchema,
      answer: ShardPageSchema,
      handle: async ({ params, query }) => listShards(parts, await findPhase(engine, params.run, params.phase), query),
    }),
    jsonRoute({
      path: "/runs/:run/phases/:phase/shards/:shard",
      summary: "A shard with its attempts",
      params: ShardParamsSchema,
      answer: ShardDetailSchema,
      handle: async ({ params }) => {
        const place = await findPhase(engine, params.run, params.phase);
        const { revision } = place;
        const [record, counts] = await Promise.all([
          engine.store.ledger.findShard(params.run, { phase: params.phase, revision, shard: params.shard }),
          engine.store.ledger.findPhase(params.run, params.phase),
        ]);
        if (record === undefined && params.shard >= (counts?.total ?? 0)) {
          throw new ApiFailure("NOT_FOUND", `phase ${params.phase} has no shard ${params.shard}`);
        }
        const nowMs = Date.now();
        return {
          ...shardRow(place, params.shard, record, { nowMs, basePath }),
          run_id: params.run,
          phase: params.phase,
          revision,
          until_ms: record?.status === "backoff" ? (record.until_ms ?? null) : null,
          history: listAttempts(record, nowMs),
          reused_from: record?.reused_from ?? null,
          output: outputFacts(record),
          spawned: (record?.spawned ?? []).map(({ child, attempt, key, reason = null }) => ({
            child,
            attempt,
            key,
            reason,
          })),
        };
      },
    }),
  ];
}

async function listShards(parts: ApiParts, place: PhasePlace, query: ShardQuery): Promise<ShardPage> {
  const { runId, definition, revision } = place;
  const run = await parts.views.see(runId);
  const nowMs = Date.now();
  const found = run.shardsOf(definition.id)?.list(query, nowMs) ?? [];
  const start = readCursor(query.cursor);
  const shown = found.slice(start, start + query.limit);
  const records = await parts.engine.store.ledger.findShards(runId, { phase: definition.id, revision }, shown);
  const shards = shown.map((shard, i) => shardRow(place, shard, records[i], { nowMs, basePath: parts.basePath }));
  const next = start + shown.length;
  return { shards, next_cursor: next < found.length ? String(next) : null, total: found.length };
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new ApiFailure("INVALID_REQUEST", "query cursor: not one that a list of shards gave");
}
