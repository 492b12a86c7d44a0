import { findJsonError } from "./find-json-error.ts";
import { isJsonObject, type JsonValue, parseJson } from "./json-value.ts";
import { JsonlError } from "./jsonl-error.ts";
import { concatBytes, DEFAULT_MAX_LINE_BYTES } from "./line-splitter.ts";
import { excerpt } from "./show-value.ts";

const LINE_FEED = 0x0a;

/**
 * Reads a stream that holds one JSON value, over any number of lines. A byte order mark at its start is skipped.
 *
 * @param maxBytes size from which on the value is refused, since all of it is held in memory
 * @throws {JsonlError} naming the line where the text stops being JSON or UTF-8
 */
export async function readJson(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = DEFAULT_MAX_LINE_BYTES,
): Promise<JsonValue> {
  return parseText(decodeText(await collectBytes(chunks, maxBytes)));
}

/**
 * Reads a stream that holds one JSON object, and gives its text: UTF-8 that is known to be an object, with its byte
 * order mark if it has one.
 *
 * @param maxBytes size from which on the object is refused, since all of it is held in memory
 * @throws {JsonlError} as {@link readJson} does, and `NOT_AN_OBJECT`
 */
export async function readJsonObjectText(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = DEFAULT_MAX_LINE_BYTES,
): Promise<Uint8Array> {
  const bytes = await collectBytes(chunks, maxBytes);
  const value = parseText(decodeText(bytes));
  if (isJsonObject(value)) return bytes;
  const shown = excerpt(JSON.stringify(value));
  throw new JsonlError("NOT_AN_OBJECT", 1, `line 1: the JSON value is not an object: ${shown}`);
}

async function collectBytes(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw new JsonlError("TOO_LONG", 1, `the JSON value is longer than ${maxBytes} bytes`);
    pieces.push(new Uint8Array(chunk));
  }
  return concatBytes(pieces);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const { line, text } = findBadLine(bytes);
    throw new JsonlError("INVALID_UTF8", line, `line ${line} is not valid UTF-8: ${excerpt(text)}`, { cause });
  }
}

/** First line that is not UTF-8. No character spans a line feed, so lines can be judged one by one. */
function findBadLine(bytes: Uint8Array): { line: number; text: string } {
  const strict = new TextDecoder("utf-8", { fatal: true });
  let start = 0;
  for (let line = 1; ; line += 1) {
    const newline = bytes.indexOf(LINE_FEED, start);
    const content = bytes.subarray(start, newline === -1 ? bytes.length : newline);
    try {
      strict.decode(content);
    } catch {
      return { line, text: new TextDecoder().decode(content) };
    }
    if (newline === -1) return { line, text: "" };
    start = newline + 1;
  }
}

function parseText(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    const wrongAt = findJsonError(text) ?? text.length;
    const isCutShort = wrongAt === text.length;
    const offset = isCutShort ? text.trimEnd().length : wrongAt;
    const before = text.slice(0, offset).split("\n");
    const line = before.length;
    const shown = excerpt(
      `${before.at(-1) ?? ""}${text
        .slice(offset, offset + 200)
        .split("\n", 1)
        .join("")}`,
    );
    const problem = isCutShort ? "ends before it is complete" : "is not valid";
    throw new JsonlError("INVALID_JSON", line, `line ${line}: the JSON value ${problem}: ${shown}`, { cause });
  }
}
