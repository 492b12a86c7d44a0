import type { EventName, JournalLine } from "@fanfold/schemas";
import { readNumber, readText } from "./event-data.ts";

/** An attempt that has ended, and how long it took. */
export interface EndedAttemptView {
  readonly phase: string;
  readonly shard: number;
  readonly attempt: number | null;
  readonly outcome: "succeeded" | "failed" | "retried" | "lost" | "given_back" | "spawned" | "cancelled";
  readonly duration_sec: number;
  readonly error_code: string | null;
}

const OUTCOMES: Partial<Record<EventName, EndedAttemptView["outcome"]>> = {
  shard_succeeded: "succeeded",
  shard_failed: "failed",
  shard_iterated: "succeeded",
  shard_retry: "retried",
  shard_lost: "lost",
  shard_given_back: "given_back",
  shard_spawned: "spawned",
  shard_cancelled: "cancelled",
};

/** Collects the slowest attempts of a journal, longest first; of those that took as long the earlier comes first. */
export class SlowestAttempts {
  readonly #limit: number;
  readonly #attempts: EndedAttemptView[] = [];

  /** @param limit attempts kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the next line; those that end no attempt, or do not say how long it took, change nothing. */
  take({ event, phase, shard, attempt, data }: JournalLine): void {
    const outcome = OUTCOMES[event];
    const durationMs = readNumber(data, "duration_ms");
    if (outcome === undefined || durationMs === undefined || phase === null || shard === null) return;
    const durationSec = Math.max(0, durationMs) / 1_000;
    if (this.#attempts.length >= this.#limit && durationSec <= (this.#attempts.at(-1)?.duration_sec ?? 0)) return;
    const errorCode = readText(data, "error_code") ?? null;
    const at = this.#attempts.findIndex((other) => other.duration_sec < durationSec);
    const ended = { phase, shard, attempt, outcome, duration_sec: durationSec, error_code: errorCode };
    this.#attempts.splice(at === -1 ? this.#attempts.length : at, 0, ended);
    this.#attempts.length = Math.min(this.#attempts.length, this.#limit);
  }

  /** The attempts so far. */
  get attempts(): readonly EndedAttemptView[] {
    return [...this.#attempts];
  }
}
