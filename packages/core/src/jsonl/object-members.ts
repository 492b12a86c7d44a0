const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;

/** One member of a JSON object: its key, and where its value stands. */
export interface ObjectMember {
  readonly key: string;
  /** Offset of the first byte of the value. */
  readonly start: number;
  /** Offset behind the value. */
  readonly end: number;
}

/**
 * Members of a JSON object in the order of its text. A parsed object tells neither that order (keys that look like
 * numbers come first) nor that a key came twice.
 *
 * @param bytes UTF-8 text that is known to be a JSON object; a byte order mark may stand before it
 */
export function* objectMembers(bytes: Uint8Array): Generator<ObjectMember, void, undefined> {
  const decoder = new TextDecoder();
  let at = skipBlanks(bytes, bytes.indexOf(OPEN_BRACE) + 1);
  while (bytes[at] === QUOTE) {
    const keyEnd = stringEnd(bytes, at);
    const key: string = JSON.parse(decoder.decode(bytes.subarray(at, keyEnd)));
    const start = skipBlanks(bytes, bytes.indexOf(COLON, keyEnd) + 1);
    const end = valueEnd(bytes, start);
    yield { key, start, end };
    at = skipBlanks(bytes, end);
    if (bytes[at] === COMMA) at = skipBlanks(bytes, at + 1);
  }
}

/** JSON knows no blank above the space, and no other byte up to it stands between two tokens. */
function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] ?? 0) <= SPACE) at += 1;
  return at;
}

function valueEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return stringEnd(bytes, start);
  return first === OPEN_BRACE || first === OPEN_BRACKET ? containerEnd(bytes, start) : scalarEnd(bytes, start);
}

function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function containerEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
      continue;
    }
    at += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    if (depth === 0) break;
  }
  return at;
}

function scalarEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== CLOSE_BRACE && (bytes[at] ?? 0) > SPACE) at += 1;
  return at;
}
