import { isRunOver } from "@fanfold/core";
import { NothingSchema, RunParamsSchema, StreamQuerySchema } from "@fanfold/schemas";
import type { Request } from "express";
import { EventStream, frameOf } from "../live/event-stream.ts";
import type { RunFeed } from "../live/run-feed.ts";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, rawRoute } from "./api-route.ts";

/** What streams are. */
export const EVENT_STREAM = "text/event-stream";

/** Routes that stream the run list, and the journal of a run. */
export function streamRoutes(parts: ApiParts): ApiRoute[] {
  return [
    rawRoute({
      path: "/runs/stream",
      summary: "Runs as they change: events `run` and `removed`; `reset` where the list has to be read again",
      produces: EVENT_STREAM,
      query: NothingSchema,
      handle: async (_input, { req, res }) => {
        const position = lastEventId(req);
        await parts.listFeed.with(() => streamList(parts, new EventStream(res, parts.stop), position));
      },
    }),
    rawRoute({
      path: "/runs/:run/stream",
      summary: "A run's journal as it is written: events `journal`, and `end` when the run is over and all was sent",
      produces: EVENT_STREAM,
      params: RunParamsSchema,
      query: StreamQuerySchema,
      handle: async ({ params, query }, { req, res }) => {
        const after = readSeq(lastEventId(req)) ?? query.after;
        await parts.feeds.with(params.run, (feed) => streamJournal(feed, new EventStream(res, parts.stop), after));
      },
    }),
  ];
}

/** Where a client that comes back was. */
export function lastEventId(req: Request): string | undefined {
  const id = req.get("last-event-id");
  return id === undefined || id === "" ? undefined : id;
}

function readSeq(id: string | undefined): number | undefined {
  if (id === undefined) return undefined;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new ApiFailure("INVALID_REQUEST", "header last-event-id: not one of this stream");
}

async function streamJournal(feed: RunFeed, stream: EventStream, after: number): Promise<void> {
  let last = after;
  let isEndSent = false;
  try {
    while (!stream.signal.aborted && !feed.signal.aborted) {
      const { lines, status } = await feed.read(last);
      const tail = lines.at(-1);
      if (tail !== undefined) {
        if (!(await stream.send(lines.map(({ frame }) => frame).join("")))) return;
        last = tail.line.seq;
        isEndSent = false;
        continue;
      }
      if (!isEndSent && isRunOver(status)) {
        isEndSent = true;
        await stream.send(frameOf({ event: "end", data: JSON.stringify({ status, last_seq: last }) }));
      }
      await feed.changed(last, stream.signal);
    }
  } finally {
    stream.close();
  }
}

async function streamList({ listFeed }: ApiParts, stream: EventStream, position: string | undefined): Promise<void> {
  const idOf = (turn: number): string => `${listFeed.epoch}-${turn}`;
  const [epoch, turn] = position?.split("-") ?? [];
  const isKnown = epoch === listFeed.epoch && listFeed.reaches(Number(turn));
  let last = isKnown ? Number(turn) : listFeed.turn;
  try {
    const hello = position === undefined ? "ready" : "reset";
    if (!isKnown) await stream.send(frameOf({ event: hello, id: idOf(last), data: "{}" }));
    while (!stream.signal.aborted) {
      for (const change of listFeed.after(last)) {
        last = change.turn;
        const { runId, item } = change;
        const news = item === undefined ? { event: "removed", data: { run_id: runId } } : { event: "run", data: item };
        const frame = frameOf({ event: news.event, id: idOf(last), data: JSON.stringify(news.data) });
        if (!(await stream.send(frame))) return;
      }
      await listFeed.changed(last, stream.signal);
    }
  } finally {
    stream.close();
  }
}
