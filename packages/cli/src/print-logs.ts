import type { Content, JournalLine } from "@fanfold/schemas";
import { type ShardRef, streamContent } from "@fanfold/store";
import { CliError, EXIT } from "./exit-codes.ts";
import { followToEnd } from "./print-events.ts";
import type { Session } from "./session.ts";

/** Which output to print. */
export interface LogScope {
  readonly phase?: string;
  readonly shard?: number;
  readonly follow?: boolean;
}

const ENDS = new Set([
  "shard_succeeded",
  "shard_retry",
  "shard_iterated",
  "shard_failed",
  "shard_cancelled",
  "shard_lost",
  "shard_given_back",
  "shard_spawned",
]);

/**
 * Prints the output of attempts, each under a heading. With `follow`, the output of running attempts comes as
 * they write it, until the run is over.
 *
 * @throws {CliError} when the run has no such phase
 */
export async function printLogs(session: Session, runId: string, scope: LogScope): Promise<void> {
  const { graph } = await session.engine.plan(runId);
  const phases = graph.instances(scope.phase);
  if (phases.length === 0) {
    throw new CliError(EXIT.notFound, `run ${runId} has no phase ${scope.phase}; it has ${graph.ids.join(", ")}`);
  }
  const printer = new LogPrinter(session, runId, { phases: new Set(phases), ...scope });
  const lines = scope.follow === true ? followToEnd(session, runId) : session.store.journal.readAll(runId);
  for await (const line of lines) await printer.take(line);
  await printer.end();
}

/** An attempt whose end the journal has not told yet. */
interface OpenAttempt {
  readonly ref: ShardRef;
  readonly attempt: number;
  readonly following: AbortController;
  readonly printing: Promise<void>;
}

interface PrinterScope extends LogScope {
  /** Grows with what is spawned meanwhile. */
  readonly phases: Set<string>;
}

class LogPrinter {
  readonly #session: Session;
  readonly #runId: string;
  readonly #scope: PrinterScope;
  readonly #open = new Map<string, OpenAttempt>();
  #heading = "";
  #isLineOpen = false;

  constructor(session: Session, runId: string, scope: PrinterScope) {
    this.#session = session;
    this.#runId = runId;
    this.#scope = scope;
  }

  /** Takes the next line of the journal. */
  async take(line: JournalLine): Promise<void> {
    const { phase, shard, attempt, event, data } = line;
    const isWanted = typeof data.copy_of === "string" && this.#scope.phases.has(data.copy_of);
    if (event === "phase_spawned" && phase !== null && isWanted) this.#scope.phases.add(phase);
    if (phase === null || shard === null || attempt === null || !this.#isWanted(phase, shard)) return;
    if (event === "shard_started") {
      const revision = typeof line.data.revision === "number" ? line.data.revision : 1;
      this.#begin({ phase, revision, shard }, attempt);
    } else if (ENDS.has(event)) await this.#finish(`${phase}[${shard}]#${attempt}`);
  }

  /** Prints what is there of the attempts still under way. */
  async end(): Promise<void> {
    for (const name of this.#open.keys()) await this.#finish(name);
    if (this.#isLineOpen) process.stdout.write("\n");
  }

  #isWanted(phase: string, shard: number): boolean {
    const { phases, shard: wantedShard } = this.#scope;
    return phases.has(phase) && (wantedShard ?? shard) === shard;
  }

  #begin(ref: ShardRef, attempt: number): void {
    const following = new AbortController();
    const printing = this.#scope.follow === true ? this.#follow(ref, attempt, following.signal) : Promise.resolve();
    this.#open.set(`${ref.phase}[${ref.shard}]#${attempt}`, { ref, attempt, following, printing });
  }

  async #finish(name: string): Promise<void> {
    const open = this.#open.get(name);
    if (open === undefined) return;
    this.#open.delete(name);
    open.following.abort();
    await open.printing;
    if (this.#scope.follow !== true) await this.#printWhole(open);
  }

  async #printWhole({ ref, attempt }: OpenAttempt): Promise<void> {
    const log = await this.#findLog(ref, attempt);
    if (log === undefined) {
      return this.#print(ref, attempt, await this.#session.store.logs.read(this.#runId, ref, attempt));
    }
    const decoder = new TextDecoder();
    for await (const chunk of streamContent(this.#session.store.artifacts, log)) {
      this.#print(ref, attempt, decoder.decode(chunk, { stream: true }));
    }
  }

  async #findLog(ref: ShardRef, attempt: number): Promise<Content | undefined> {
    const record = await this.#session.store.ledger.findShard(this.#runId, ref);
    if (record?.attempt === attempt && record.status === "succeeded") return record.log;
    return record?.history?.find((earlier) => earlier.attempt === attempt)?.log;
  }

  async #follow(ref: ShardRef, attempt: number, signal: AbortSignal): Promise<void> {
    for await (const text of this.#session.store.logs.follow(this.#runId, ref, attempt, { signal })) {
      this.#print(ref, attempt, text);
    }
  }

  #startSection(heading: string): void {
    process.stdout.write(`${this.#isLineOpen ? "\n" : ""}${this.#heading === "" ? "" : "\n"}${heading}\n`);
    this.#heading = heading;
  }

  #print(ref: ShardRef, attempt: number, text: string): void {
    if (text === "") return;
    const heading = `==> ${ref.phase}[${ref.shard}] attempt ${attempt} <==`;
    if (heading !== this.#heading) this.#startSection(heading);
    process.stdout.write(text);
    this.#isLineOpen = !text.endsWith("\n");
  }
}
