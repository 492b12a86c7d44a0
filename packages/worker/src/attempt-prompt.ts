import { stripVTControlCharacters } from "node:util";
import { replaceItem, retryPrompt } from "@fanfold/core";
import type { AttemptRecord, CompiledPhase, Content } from "@fanfold/schemas";
import { readContent, type ShardRef, type Store, StoreError } from "@fanfold/store";
import type { AttemptItem, AttemptPrompt } from "./attempt/attempt-spec.ts";

/** Most of an attempt's output that the next prompt repeats, in bytes. */
const MAX_TAIL_BYTES = 16 * 1024;

/** Where the attempts of a shard left their outputs. */
export interface PromptSource {
  readonly store: Store;
  readonly runId: string;
  readonly ref: ShardRef;
  /** Earlier attempts, oldest first. */
  readonly history: readonly AttemptRecord[];
}

/**
 * The prompt of an attempt: that of the phase, and where it wants so, how the attempt before failed. Attempts that were
 * cancelled or given back did not fail; the one before them counts.
 */
export async function buildPrompt(
  source: PromptSource,
  { prompt, retry_context }: CompiledPhase,
  item: AttemptItem | undefined,
): Promise<AttemptPrompt | undefined> {
  if (prompt === undefined) return undefined;
  const original = item === undefined ? prompt : replaceItem(prompt, item);
  const failed = source.history.findLast(({ status }) => ["failed", "timed_out", "lost"].includes(status));
  if (retry_context === undefined || failed === undefined) return { original, text: original };
  const tail = await readTail(source, failed);
  const why = failed.failure?.why ?? "its worker was lost";
  return { original, text: retryPrompt(original, retry_context.instruction, { attempt: failed.attempt, why, tail }) };
}

/** The end of an attempt's log; of a lost one, what it had shown. Both are masked. */
async function readTail({ store, runId, ref }: PromptSource, { attempt, log }: AttemptRecord): Promise<string> {
  if (log === undefined) return lastBytes(Buffer.from(await store.logs.read(runId, ref, attempt)));
  try {
    return lastBytes(await readContent(store.artifacts, log, endOf(log)));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return `(it cannot be read any more: ${error.message})`;
  }
}

/** Without a range: content that is kept inline is short. */
function endOf(log: Content): { start: number; end: number } | undefined {
  if ("inline" in log) return undefined;
  return { start: Math.max(0, log.size_bytes - MAX_TAIL_BYTES), end: log.size_bytes };
}

/** Whole lines, where the first one was cut. */
function lastBytes(bytes: Uint8Array): string {
  const end = bytes.subarray(-MAX_TAIL_BYTES);
  const text = stripVTControlCharacters(Buffer.from(end).toString("utf8")).trimEnd();
  const firstBreak = text.indexOf("\n");
  const isCut = end.length === MAX_TAIL_BYTES && firstBreak >= 0;
  return isCut ? text.slice(firstBreak + 1) : text.replace(/^\uFFFD+/, "");
}
