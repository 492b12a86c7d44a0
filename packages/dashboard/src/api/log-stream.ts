import type { AttemptParams, JournalLine } from "@fanfold/schemas";
import { streamContent } from "@fanfold/store";
import { EventStream, frameOf } from "../live/event-stream.ts";
import type { RunFeed } from "../live/run-feed.ts";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import type { Exchange } from "./api-route.ts";
import { type AttemptPlace, findAttempt } from "./shard-facts.ts";
import { lastEventId } from "./stream-routes.ts";

const ENDS = new Set<JournalLine["event"]>([
  "shard_succeeded",
  "shard_retry",
  "shard_iterated",
  "shard_failed",
  "shard_cancelled",
  "shard_lost",
  "shard_spawned",
]);

/**
 * Where a client was: in the live output, after a piece of it, or in the whole output (`whole`), at a byte. Its text in
 * event ids is `<piece>@<offset>`.
 */
interface LogPosition {
  readonly piece: string;
  readonly offset: number;
}

const START: LogPosition = { piece: "", offset: 0 };
const WHOLE = "whole";

/** Streams what an attempt writes. Of one that is over: what it wrote. */
export async function streamLog(parts: ApiParts, params: AttemptParams, { req, res }: Exchange): Promise<void> {
  const from = readPosition(lastEventId(req));
  await findAttempt(parts.engine, params);
  await parts.feeds.with(params.run, async (feed) => {
    // looked at after the feed is open: an end that this does not tell of comes behind `since`
    const since = feed.position;
    const place = await findAttempt(parts.engine, params);
    const stream = new EventStream(res, parts.stop);
    try {
      const isWhole = place.log !== undefined && (from === START || from.piece === WHOLE);
      if (isWhole) await sendWhole(parts, stream, place, from.offset);
      else await sendLive(parts, stream, { place, params, feed, from, since });
      await stream.send(frameOf({ event: "end", data: "{}" }));
    } finally {
      stream.close();
    }
  });
}

async function sendWhole(parts: ApiParts, stream: EventStream, { log }: AttemptPlace, from: number): Promise<void> {
  if (log === undefined) return;
  const decoder = new TextDecoder();
  let offset = from;
  const range = { start: from, end: Number.MAX_SAFE_INTEGER };
  for await (const chunk of streamContent(parts.engine.store.artifacts, log, range)) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== "" && !(await sendPiece(stream, text, { piece: WHOLE, offset }))) return;
    offset += Buffer.byteLength(text, "utf8");
  }
}

interface LiveLog {
  readonly place: AttemptPlace;
  readonly params: AttemptParams;
  readonly feed: RunFeed;
  readonly from: LogPosition;
  /** Journal line behind which the end of the attempt is. */
  readonly since: number;
}

async function sendLive(parts: ApiParts, stream: EventStream, live: LiveLog): Promise<void> {
  const { place, params, from } = live;
  const ended = new AbortController();
  if (place.isOver) ended.abort();
  else void awaitEnd(live, stream.signal).finally(() => ended.abort());
  const after = from.piece === "" || from.piece === WHOLE ? "0-0" : from.piece;
  let { offset } = from;
  const pieces = parts.engine.store.logs.followPieces(params.run, place.ref, params.attempt, {
    signal: AbortSignal.any([ended.signal, stream.signal]),
    after,
  });
  for await (const { id, text } of pieces) {
    if (!(await sendPiece(stream, text, { piece: id, offset }))) return;
    offset += Buffer.byteLength(text, "utf8");
  }
}

/** Waits for the journal to tell that the attempt is over. */
async function awaitEnd({ feed, params, since }: LiveLog, signal: AbortSignal): Promise<void> {
  let last = since;
  while (!signal.aborted && !feed.signal.aborted) {
    const { lines } = await feed.read(last);
    if (lines.some(({ line }) => isEndOf(line, params))) return;
    last = lines.at(-1)?.line.seq ?? last;
    await feed.changed(last, signal);
  }
}

function isEndOf(line: JournalLine, { phase, shard, attempt }: AttemptParams): boolean {
  return ENDS.has(line.event) && line.phase === phase && line.shard === shard && line.attempt === attempt;
}

/** A piece's id tells where the client goes on: after it, at the byte behind it. */
function sendPiece(stream: EventStream, text: string, { piece, offset }: LogPosition): Promise<boolean> {
  const id = `${piece}@${offset + Buffer.byteLength(text, "utf8")}`;
  return stream.send(frameOf({ event: "log", id, data: JSON.stringify({ text, offset }) }));
}

function readPosition(id: string | undefined): LogPosition {
  if (id === undefined) return START;
  const [, piece, offset] = /^(whole|\d{1,15}-\d{1,15})@(\d{1,15})$/.exec(id) ?? [];
  if (piece === undefined) throw new ApiFailure("INVALID_REQUEST", "header last-event-id: not one of this stream");
  return { piece, offset: Number(offset) };
}
