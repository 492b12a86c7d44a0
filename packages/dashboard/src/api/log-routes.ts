import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import {
  AttemptParamsSchema,
  type Content,
  type LogPage,
  LogPageSchema,
  LogQuerySchema,
  type LogQuery,
} from "@fanfold/schemas";
import { readContent, type Store, streamContent } from "@fanfold/store";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, rawRoute } from "./api-route.ts";
import { streamLog } from "./log-stream.ts";
import { type AttemptPlace, findAttempt } from "./shard-facts.ts";
import { EVENT_STREAM } from "./stream-routes.ts";

const LOG_PATH = "/runs/:run/phases/:phase/shards/:shard/attempts/:attempt/log";

/** Routes that hand out what attempts wrote. */
export function logRoutes(parts: ApiParts): ApiRoute[] {
  const { engine } = parts;
  return [
    {
      ...rawRoute({
        path: LOG_PATH,
        summary: "A part of what an attempt wrote, or all of it as text/plain",
        produces: "application/json",
        params: AttemptParamsSchema,
        query: LogQuerySchema,
        handle: async ({ params, query }, { res }) => {
          const place = await findAttempt(engine, params);
          if (query.download === "0") return void res.json(await readLog(engine.store, params.run, place, query));
          const name = `${params.run}.${params.phase}.${params.shard}.${params.attempt}.log`;
          res.attachment(name.replace(/[^\w.-]/g, "_")).type("text/plain; charset=utf-8");
          await pipeline(Readable.from(streamWhole(engine.store, params.run, place)), res);
        },
      }),
      answer: LogPageSchema,
    },
    rawRoute({
      path: `${LOG_PATH}/stream`,
      summary: "What an attempt writes, as it writes it: events `log`, and `end` when it is over",
      produces: EVENT_STREAM,
      params: AttemptParamsSchema,
      handle: async ({ params }, exchange) => streamLog(parts, params, exchange),
    }),
  ];
}

async function readLog(
  store: Store,
  runId: string,
  place: AttemptPlace,
  { offset, limit }: LogQuery,
): Promise<LogPage> {
  const { bytes, sizeBytes } = await readBytes(store, runId, place, { offset, limit });
  const start = skipPartial(bytes);
  const end = cutPartial(bytes, start, offset + bytes.byteLength >= sizeBytes);
  return {
    text: bytes.subarray(start, end).toString("utf8"),
    offset: offset + start,
    next_offset: offset + end,
    size_bytes: sizeBytes,
    is_complete: place.isOver,
  };
}

async function readBytes(
  store: Store,
  runId: string,
  { ref, attempt, log }: AttemptPlace,
  { offset, limit }: { offset: number; limit: number },
): Promise<{ bytes: Buffer; sizeBytes: number }> {
  if (log !== undefined) {
    const sizeBytes = sizeOf(log);
    const end = Math.min(sizeBytes, offset + limit);
    if (offset >= end) return { bytes: Buffer.alloc(0), sizeBytes };
    return { bytes: Buffer.from(await readContent(store.artifacts, log, { start: offset, end })), sizeBytes };
  }
  const live = Buffer.from(await store.logs.read(runId, ref, attempt), "utf8");
  return { bytes: live.subarray(offset, offset + limit), sizeBytes: live.byteLength };
}

async function* streamWhole(
  store: Store,
  runId: string,
  { ref, attempt, log }: AttemptPlace,
): AsyncGenerator<Uint8Array> {
  if (log === undefined) yield Buffer.from(await store.logs.read(runId, ref, attempt), "utf8");
  else yield* streamContent(store.artifacts, log);
}

/** Bytes of content. */
function sizeOf(content: Content): number {
  return "inline" in content ? Buffer.byteLength(content.inline, "utf8") : content.size_bytes;
}

/** Most bytes of a character of UTF-8 after its first. */
const MAX_FOLLOWING = 3;

function isFollowing(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Where the first whole character begins, so that an offset in the middle of one does no harm. */
function skipPartial(bytes: Buffer): number {
  let start = 0;
  while (start < MAX_FOLLOWING && isFollowing(bytes[start])) start += 1;
  return start;
}

/** Where the last whole character ends: the rest of a cut one comes with the next part. */
function cutPartial(bytes: Buffer, start: number, isAll: boolean): number {
  if (isAll) return bytes.byteLength;
  let lead = bytes.byteLength - 1;
  while (lead > start && bytes.byteLength - lead <= MAX_FOLLOWING && isFollowing(bytes[lead])) lead -= 1;
  const byte = bytes[lead] ?? 0;
  const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
  return lead > start && lead + length > bytes.byteLength ? lead : bytes.byteLength;
}
