import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "./json-value.ts";
import { JsonlError } from "./jsonl-error.ts";
import { type JsonlLine, type LineLimits, LineSplitter } from "./line-splitter.ts";
import { excerpt } from "./show-value.ts";

/** A line of JSONL with the value it spells. */
export interface JsonlRecord<V extends JsonValue = JsonObject> extends JsonlLine {
  value: V;
}

/** How {@link readRecords} reads. */
export interface ReadRecordsOptions extends LineLimits {
  /** Accept any JSON value on a line, and not only objects (default false). */
  anyValue?: boolean;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder();

/** {@link readRecords} of lines that may carry any JSON value. */
export function readRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadRecordsOptions & { anyValue: true },
): AsyncGenerator<JsonlRecord<JsonValue>, void, undefined>;
/**
 * Reads a stream of JSONL record by record, in order, holding no more than a chunk and a line. Blank lines are
 * skipped. The `bytes` of a record are a view that may change once the next record is asked for.
 *
 * @throws {JsonlError} naming the line that is not UTF-8, not JSON, not an object or too long; the records before it
 * have been yielded by then
 */
export function readRecords(
  chunks: AsyncIterable<Uint8Array>,
  options?: ReadRecordsOptions & { anyValue?: false },
): AsyncGenerator<JsonlRecord, void, undefined>;
export async function* readRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadRecordsOptions = {},
): AsyncGenerator<JsonlRecord<JsonValue>, void, undefined> {
  const splitter = new LineSplitter(options);
  const anyValue = options.anyValue ?? false;
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) yield parseLine(line, anyValue);
  }
  for (const line of splitter.end()) yield parseLine(line, anyValue);
}

function parseLine(line: JsonlLine, anyValue: boolean): JsonlRecord<JsonValue> {
  const value = parseText(decodeLine(line), line.line);
  if (!anyValue && !isJsonObject(value)) {
    const shown = excerpt(JSON.stringify(value));
    throw new JsonlError("NOT_AN_OBJECT", line.line, `line ${line.line} is not a JSON object: ${shown}`);
  }
  return { bytes: line.bytes, start: line.start, end: line.end, line: line.line, value };
}

function decodeLine({ bytes, line }: JsonlLine): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    const shown = excerpt(lenientUtf8.decode(bytes));
    throw new JsonlError("INVALID_UTF8", line, `line ${line} is not valid UTF-8: ${shown}`, { cause });
  }
}

function parseText(text: string, line: number): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new JsonlError("INVALID_JSON", line, `line ${line} is not valid JSON: ${excerpt(text)}`, { cause });
  }
}
