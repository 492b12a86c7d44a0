import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Response } from "express";

/** A comment is sent when nothing else was for so long, so that proxies and clients see that the stream lives, in ms. */
const HEARTBEAT_MS = 15_000;
/** A client that takes nothing for so long is dropped; it can resume where it was, in ms. */
const STALL_MS = 30_000;
/** Wait before a browser connects again, in ms. */
const RETRY_MS = 1_000;

/** An event of a stream. */
export interface StreamEvent {
  readonly event: string;
  /** JSON. */
  readonly data: string;
  /** Where a client that was cut off goes on. */
  readonly id?: string;
}

/** The text of an event as it goes over the wire. */
export function frameOf({ event, data, id }: StreamEvent): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

/**
 * Server-sent events to one client. Writes wait for the client: what is not taken is not produced, so a slow client
 * costs no memory, and one that takes nothing at all is dropped.
 */
export class EventStream {
  readonly #res: Response;
  readonly #over = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  #wroteAtMs = Date.now();

  /** @param stop ends the stream when the dashboard stops */
  constructor(res: Response, stop: AbortSignal) {
    this.#res = res;
    res.status(200).set({
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
    res.flushHeaders();
    res.write(`retry: ${RETRY_MS}\n\n`);
    const end = (): void => this.#over.abort();
    res.once("close", end);
    res.on("error", end);
    stop.addEventListener("abort", end, { once: true, signal: this.#over.signal });
    if (stop.aborted) end();
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  /** Aborts when the client has gone, or is to go. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Sends frames, and waits until the client can take more. @returns false when the client is gone */
  async send(frames: string): Promise<boolean> {
    if (this.signal.aborted) return false;
    this.#wroteAtMs = Date.now();
    if (!this.#res.write(frames)) await this.#drain();
    return !this.signal.aborted;
  }

  /** Ends the stream. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#over.abort();
    this.#res.end();
  }

  /** Waits for the client to take what was sent; drops it when it takes too long. */
  async #drain(): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, this.signal]);
    const isTaken = once(this.#res, "drain", { signal }).then(
      () => true,
      () => true,
    );
    const isStalled = sleep(STALL_MS, false, { signal, ref: false }).catch(() => true);
    const isAlive = await Promise.race([isTaken, isStalled]);
    waiting.abort();
    if (isAlive) return;
    this.#over.abort();
    this.#res.destroy();
  }

  #beat(): void {
    if (this.#res.writableNeedDrain || Date.now() - this.#wroteAtMs < HEARTBEAT_MS) return;
    this.#res.write(": alive\n\n");
  }
}
