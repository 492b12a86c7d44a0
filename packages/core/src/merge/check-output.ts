import { JsonlError } from "../jsonl/jsonl-error.ts";
import { readJson } from "../jsonl/read-json.ts";
import { readRecords } from "../jsonl/read-records.ts";
import { MergeError } from "./merge-error.ts";
import { recordKeyOf } from "./record-key.ts";

/** What {@link checkOutput} demands beyond the format. */
export interface CheckOutputOptions {
  /** `jsonl`: field that the merge takes as key, so every record must have it; null or absent for none. */
  key?: string | null;
}

/**
 * Checks the output of one shard as the fold will read it, so that a bad one fails its attempt and not the merge.
 *
 * @returns number of records (`jsonl`), or 1 (`json`)
 * @throws {MergeError} `INVALID_RECORD`, `INVALID_VALUE`, `MISSING_KEY` or `INEXACT_KEY`, naming the line
 */
export async function checkOutput(
  format: "jsonl" | "json",
  chunks: AsyncIterable<Uint8Array>,
  { key = null }: CheckOutputOptions = {},
): Promise<number> {
  try {
    if (format === "jsonl") return await checkRecords(chunks, key);
    await readJson(chunks);
    return 1;
  } catch (cause) {
    if (!(cause instanceof JsonlError)) throw cause;
    throw new MergeError(format === "jsonl" ? "INVALID_RECORD" : "INVALID_VALUE", cause.message, { cause });
  }
}

async function checkRecords(chunks: AsyncIterable<Uint8Array>, key: string | null): Promise<number> {
  let recordCount = 0;
  for await (const { value, line } of readRecords(chunks)) {
    if (key !== null) recordKeyOf(value, key, () => `line ${line}`);
    recordCount += 1;
  }
  return recordCount;
}
