import { JsonlError } from "../jsonl/jsonl-error.ts";
import { readJson, readJsonObjectText } from "../jsonl/read-json.ts";
import { readRecords } from "../jsonl/read-records.ts";
import { MergeError } from "./merge-error.ts";
import { Offenders } from "./offenders.ts";
import { RecordCheck, type RecordDemands } from "./record-check.ts";

/** Format of a shard's output: records, any one JSON value, or one JSON object. */
export type OutputFormat = "jsonl" | "json" | "object";

/**
 * Checks the output of one shard as the fold will read it, so that a bad one fails its attempt and not the merge.
 *
 * @param demands what the merge demands of each record (`jsonl` only)
 * @returns number of records (`jsonl`), or 1
 * @throws {MergeError} `INVALID_RECORD`, `INVALID_VALUE`, `MISSING_KEY`, `INEXACT_KEY` or `WRONG_DIMENSION`, naming the
 * first five lines that are wrong
 */
export async function checkOutput(
  format: OutputFormat,
  chunks: AsyncIterable<Uint8Array>,
  { key = [], dimensions = {} }: Partial<RecordDemands> = {},
): Promise<number> {
  if (format === "jsonl") return checkRecords(chunks, new RecordCheck({ key, dimensions }));
  try {
    await (format === "json" ? readJson(chunks) : readJsonObjectText(chunks));
    return 1;
  } catch (cause) {
    if (!(cause instanceof JsonlError)) throw cause;
    throw new MergeError("INVALID_VALUE", cause.message, { cause });
  }
}

async function checkRecords(chunks: AsyncIterable<Uint8Array>, check: RecordCheck): Promise<number> {
  const offenders = new Offenders();
  let recordCount = 0;
  try {
    for await (const { value, line } of readRecords(chunks)) {
      const key = check.examine(value);
      if (typeof key !== "string") offenders.add(key.code, `line ${line}: ${key.what}`);
      recordCount += 1;
    }
  } catch (cause) {
    if (!(cause instanceof JsonlError)) throw cause;
    offenders.add("INVALID_RECORD", cause.message, { cause });
  }
  offenders.throwIfAny();
  return recordCount;
}
