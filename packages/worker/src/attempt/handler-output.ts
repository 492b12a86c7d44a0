import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { CompiledMerge } from "@fanfold/schemas";
import { AttemptError, describeError } from "./attempt-error.ts";
import type { AttemptOutput } from "./attempt-spec.ts";

/** Arrays with more elements than this go to a file piece by piece, so that their text is never in memory as a whole. */
const MAX_ARRAY_IN_MEMORY = 1000;

const WRITE_CHARS = 64 * 1024;

/** Where and how the value of a handler is stored. */
export interface OutputTarget {
  readonly merge: CompiledMerge["strategy"];
  /** File for what is too large for memory; its directory is made when needed. */
  readonly file: string;
  /** Aborted when nobody wants the output any more; then the iterable is not read further. */
  readonly signal: AbortSignal;
}

/** Text around and between the elements of a list. */
interface Framing {
  readonly open: string;
  readonly between: string;
  readonly close: string;
}

const JSONL: Framing = { open: "", between: "\n", close: "\n" };
const JSON_ARRAY: Framing = { open: "[", between: ",", close: "]\n" };

/**
 * Turns what a handler returned into its output: text and bytes as they are, nothing as an empty output, lists as
 * JSONL (merge `array`: as one JSON array), anything else as one JSON value. Iterables and long arrays are streamed
 * to the file.
 *
 * @throws {AttemptError} `INVALID_OUTPUT` for a value JSON cannot hold, or one that is no record where the merge
 *   folds records
 */
export async function storeHandlerOutput(value: unknown, target: OutputTarget): Promise<AttemptOutput> {
  if (value instanceof Uint8Array) return { bytes: value };
  if (typeof value === "string") return text(value);
  if (value === undefined) return text(target.merge === "array" ? "null\n" : "");
  const framing = target.merge === "array" ? JSON_ARRAY : JSONL;
  if (isIterable(value)) {
    if (!Array.isArray(value) || value.length > MAX_ARRAY_IN_MEMORY) return await streamToFile(value, framing, target);
    return text(frame(value, framing));
  }
  if (target.merge === "records" && (typeof value !== "object" || value === null)) {
    throw invalid(`the merge folds records, but the handler returned ${value === null ? "null" : typeof value}`);
  }
  return text(`${toJson(value, "the output")}\n`);
}

function text(content: string): AttemptOutput {
  return { bytes: Buffer.from(content) };
}

function frame(values: readonly unknown[], framing: Framing): string {
  if (values.length === 0) return emptyList(framing);
  const elements = values.map((value, index) => toJson(value, describeElement(index)));
  return `${framing.open}${elements.join(framing.between)}${framing.close}`;
}

function emptyList(framing: Framing): string {
  return framing === JSONL ? "" : `${framing.open}${framing.close}`;
}

async function streamToFile(
  values: Iterable<unknown> | AsyncIterable<unknown>,
  framing: Framing,
  { file, signal }: OutputTarget,
): Promise<AttemptOutput> {
  signal.throwIfAborted();
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, "w");
  try {
    await writeElements(handle, values, { framing, signal });
  } finally {
    await handle.close();
  }
  return { file };
}

async function writeElements(
  handle: FileHandle,
  values: Iterable<unknown> | AsyncIterable<unknown>,
  { framing, signal }: { framing: Framing; signal: AbortSignal },
): Promise<void> {
  let pending = "";
  let count = 0;
  for await (const value of values) {
    signal.throwIfAborted();
    pending += `${count === 0 ? framing.open : framing.between}${toJson(value, describeElement(count))}`;
    count += 1;
    if (pending.length < WRITE_CHARS) continue;
    await handle.appendFile(pending);
    pending = "";
  }
  await handle.appendFile(count === 0 ? emptyList(framing) : pending + framing.close);
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function describeElement(index: number): string {
  return `element ${index + 1} of the output`;
}

function toJson(value: unknown, what: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw invalid(`${what} cannot be written as JSON: ${describeError(error)}`);
  }
  if (json === undefined) throw invalid(`${what} is ${typeof value}, which JSON does not have`);
  return json;
}

function invalid(why: string): AttemptError {
  return new AttemptError("INVALID_OUTPUT", why, {
    next_action: "return records, text, bytes or values JSON can hold",
  });
}
