import type { AttemptLogs, ShardRef } from "@fanfold/store";
import type { Job } from "bullmq";

/** How often output is shipped while an attempt runs, in ms. */
const SHIP_EVERY_MS = 250;
/** Most output held between two shipments; what exceeds it is only in the attempt's log file. */
const MAX_PENDING_CHARS = 64 * 1024;
/** Most output put into the job's own log; the whole of it is one command away. */
const MAX_JOB_LOG_CHARS = 64 * 1024;

/** The attempt whose output is shipped. */
export interface ShippedAttempt {
  readonly runId: string;
  readonly ref: ShardRef;
  readonly attempt: number;
  readonly job: Job;
}

/**
 * Sends an attempt's output to the live log and to the BullMQ job's log, in batches, without ever holding
 * back the process that writes it. Memory is bounded whatever the volume.
 */
export class OutputShipper {
  readonly #logs: AttemptLogs;
  readonly #attempt: ShippedAttempt;
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #pending = "";
  #droppedChars = 0;
  #jobLogChars = 0;
  #timer: NodeJS.Timeout | undefined;
  #isShipping = false;
  #shipping: Promise<void> = Promise.resolve();

  constructor(logs: AttemptLogs, attempt: ShippedAttempt) {
    this.#logs = logs;
    this.#attempt = attempt;
  }

  /** Takes a piece of output. */
  push(chunk: Uint8Array, stream: "stdout" | "stderr"): void {
    const text = this.#decoders[stream].decode(chunk, { stream: true });
    const room = MAX_PENDING_CHARS - this.#pending.length;
    this.#pending += text.length <= room ? text : text.slice(0, Math.max(0, room));
    this.#droppedChars += Math.max(0, text.length - Math.max(0, room));
    this.#timer ??= setTimeout(() => this.#ship(), SHIP_EVERY_MS);
  }

  /** Ships what is left. Failures are swallowed: live output is a convenience, the log file is the record. */
  async close(): Promise<void> {
    await this.#shipping;
    this.#ship();
    await this.#shipping;
  }

  #ship(): void {
    clearTimeout(this.#timer);
    // nothing piles up while Redis is away
    this.#timer = this.#isShipping ? setTimeout(() => this.#ship(), SHIP_EVERY_MS) : undefined;
    if (this.#isShipping) return;
    const text =
      this.#pending + (this.#droppedChars > 0 ? `\n… ${this.#droppedChars} characters not shown live\n` : "");
    this.#pending = "";
    this.#droppedChars = 0;
    if (text !== "") this.#shipping = this.#sendQuietly(text);
  }

  async #sendQuietly(text: string): Promise<void> {
    this.#isShipping = true;
    await this.#send(text).catch(() => undefined);
    this.#isShipping = false;
  }

  async #send(text: string): Promise<void> {
    const { runId, ref, attempt, job } = this.#attempt;
    await this.#logs.append(runId, ref, attempt, text);
    if (this.#jobLogChars >= MAX_JOB_LOG_CHARS) return;
    this.#jobLogChars += text.length;
    const isLast = this.#jobLogChars >= MAX_JOB_LOG_CHARS;
    const more = `… more: fanfold logs ${runId} --phase ${ref.phase} --shard ${ref.shard}`;
    await job.log(isLast ? `${text}\n${more}` : text.trimEnd());
  }
}
