import { readFile } from "node:fs/promises";
import type { HandlerRecord } from "./define-handler.ts";

/**
 * Records of a JSONL file; blank lines are skipped.
 *
 * @param what name of the file for the message
 * @throws {Error} naming the line that is not JSON
 */
export async function readRecords(file: string, what: string): Promise<HandlerRecord[]> {
  return parseRecords(await readFile(file, "utf8"), what);
}

/** Records of a JSONL text, by the same rules. */
export function parseRecords(text: string, what: string): HandlerRecord[] {
  const lines = text.split("\n");
  const records: HandlerRecord[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== "") records.push(parseRecord(line, `line ${index + 1} of ${what}`));
  }
  return records;
}

function parseRecord(line: string, where: string): HandlerRecord {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`${where} is not JSON`, { cause: error });
  }
}
