import { isUtf8 } from "node:buffer";
import { extname } from "node:path/posix";

/** First bytes that tell what a file is. */
export const SNIFFED_BYTES = 512;
/** What is handed out when nothing tells what it is. */
const UNKNOWN_TYPE = "application/octet-stream";

const BY_EXTENSION: Readonly<Record<string, string>> = {
  ".json": "application/json",
  ".jsonl": "application/x-ndjson",
  ".ndjson": "application/x-ndjson",
  ".txt": "text/plain",
  ".log": "text/plain",
  ".md": "text/plain",
  ".csv": "text/csv",
  ".tsv": "text/tab-separated-values",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
};

const SIGNATURES: readonly (readonly [type: string, opening: Buffer])[] = [
  ["image/png", Buffer.from("89504e470d0a1a0a", "hex")],
  ["image/jpeg", Buffer.from("ffd8ff", "hex")],
  ["image/gif", Buffer.from("GIF8", "latin1")],
];

/** Types that a browser may show: nothing in them can run. */
const SHOWN_TYPES = new Set([
  "application/json",
  "application/x-ndjson",
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "text/plain",
]);

/** Whether a browser may show content of this type inside the page. */
export function isShown(mediaType: string): boolean {
  return SHOWN_TYPES.has(mediaType);
}

/**
 * What an artifact is: by its name, else by its first bytes. Markup of any kind is plain text.
 *
 * @param head first bytes, at most {@link SNIFFED_BYTES}
 */
export function mediaTypeOf(name: string, head: Uint8Array): string {
  const known = BY_EXTENSION[extname(name).toLowerCase()];
  if (known !== undefined) return known;
  const bytes = Buffer.from(head);
  const signed = SIGNATURES.find(([, opening]) => bytes.subarray(0, opening.length).equals(opening));
  if (signed !== undefined) return signed[0];
  if (bytes.subarray(0, 4).toString("latin1") === "RIFF" && bytes.subarray(8, 12).toString("latin1") === "WEBP") {
    return "image/webp";
  }
  if (!isText(bytes)) return UNKNOWN_TYPE;
  return /^\s*[[{]/.test(bytes.toString("utf8")) ? jsonTypeOf(bytes.toString("utf8")) : "text/plain";
}

/** Records one a line, or one document; a log that begins with a bracket is neither. */
function jsonTypeOf(text: string): string {
  const [first = "", ...more] = text.split("\n");
  try {
    JSON.parse(first);
    return more.some((line) => line.trim() !== "") ? "application/x-ndjson" : "application/json";
  } catch {
    return more.length === 0 || /^\s*[[{]\s*("|$|\]|\}|\{|\[|\d)/.test(first) ? "application/json" : "text/plain";
  }
}

/** The end may be in the middle of a character. */
function isText(bytes: Buffer): boolean {
  if (bytes.includes(0)) return false;
  return [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, Math.max(0, bytes.byteLength - cut))));
}
