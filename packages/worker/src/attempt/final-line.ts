import { open } from "node:fs/promises";
import { AttemptError } from "./attempt-error.ts";

/** Bytes read at once, from the end backwards. */
const CHUNK_BYTES = 64 * 1024;
/** Longest last line, in bytes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * The last line of a file that is not blank, without white space at its end, and with a newline; nothing when all are
 * blank.
 *
 * @throws {AttemptError} INVALID_OUTPUT when it is longer than 16 MiB
 */
export async function readFinalLine(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    let { size: start } = await file.stat();
    let end: Buffer = Buffer.alloc(0);
    while (start > 0) {
      const length = Math.min(CHUNK_BYTES, start);
      start -= length;
      const chunk = Buffer.alloc(length);
      await file.read(chunk, 0, length, start);
      end = trimEnd(Buffer.concat([chunk, end]));
      const newline = end.lastIndexOf("\n");
      if (newline >= 0) return lineOf(end.subarray(newline + 1));
      if (end.byteLength > MAX_LINE_BYTES) {
        throw new AttemptError("INVALID_OUTPUT", `the last line of stdout is longer than ${MAX_LINE_BYTES} bytes`, {
          next_action: "write the output to FANFOLD_OUTPUT",
        });
      }
    }
    return lineOf(end);
  } finally {
    await file.close();
  }
}

function lineOf(text: Buffer): Uint8Array {
  return text.byteLength === 0 ? text : Buffer.concat([text, Buffer.from("\n")]);
}

/** Without spaces, tabs and line ends at its end. */
function trimEnd(text: Buffer): Buffer {
  let end = text.byteLength;
  while (end > 0 && [0x20, 0x09, 0x0a, 0x0d].includes(text[end - 1] ?? 0)) end -= 1;
  return text.subarray(0, end);
}
