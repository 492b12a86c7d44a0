import type { ShardRecord } from "@fanfold/schemas";
import { expect, test } from "vitest";
import { eventText, parseEventData } from "../src/event-data.ts";
import { parseOutput, parseShard, shardText } from "../src/shard-text.ts";

const SUCCESS = {
  status: "succeeded",
  attempt: 1,
  fence: 1_234_567,
  block: "999984+16",
  worker: "vm:11816",
  started_at_ms: 1_795_307_247_335,
  finished_at_ms: 1_795_307_247_354,
  consumed: "934de86623d2767f",
  result: { output: { inline: "999999\n" } },
} as const satisfies ShardRecord;
const STORED = { sha256: "0".repeat(64), size_bytes: 20_000 };

test.each<[string, ShardRecord]>([
  ["a success", SUCCESS],
  ["one that was given no artifacts", { ...SUCCESS, consumed: undefined }],
  ["one with a large output", { ...SUCCESS, result: { output: STORED } }],
  ["one with more artifacts", { ...SUCCESS, result: { ...SUCCESS.result, artifacts: { log: STORED } } }],
  ["one after a failure", { ...SUCCESS, attempt: 2, tries: 1, own_job: true, log: { inline: "so it was" } }],
  ["one whose clock went back", { ...SUCCESS, finished_at_ms: SUCCESS.started_at_ms - 5 }],
  [
    "one that was reused",
    { status: "succeeded", finished_at_ms: 1, result: SUCCESS.result, fingerprint: "1".repeat(64) },
  ],
  ["a failure", { status: "failed", attempt: 1, fence: 1, failure: { error_code: "EXIT_NONZERO", why: "it exited" } }],
  ["one that was released", { status: "released" }],
] as [string, ShardRecord][])("the record of %s is read as it was kept", (_of, record) => {
  const kept = JSON.parse(JSON.stringify(record));
  expect(parseShard(shardText(record))).toEqual(kept);
  expect(parseOutput(shardText(record))).toEqual(record.result?.output);
  expect(parseShard(JSON.stringify(record))).toEqual(kept);
  expect(parseOutput(JSON.stringify(record))).toEqual(record.result?.output);
});

test("a success of a block fits into 96 bytes of the allocator with its header and end", () => {
  expect(shardText(SUCCESS).length).toBeLessThanOrEqual(92);
});

test("content a packed record names is still found by its hash", () => {
  expect(shardText({ ...SUCCESS, result: { output: STORED }, log: STORED }).match(/"sha256":"0{64}"/g)).toHaveLength(2);
});

test.each([
  ["shard_started", { worker: "vm:1", revision: 1 }, '["vm:1",1]'],
  ["shard_succeeded", { duration_ms: 5, output_bytes: 7, revision: 1 }, "[5,7,1]"],
  [
    "shard_succeeded",
    { duration_ms: 5, output_bytes: 7, revision: 1, usage: { cost_usd: 1 } },
    '[5,7,1,{"cost_usd":1}]',
  ],
  ["shard_succeeded", { duration_ms: 5, output_bytes: 7, more: 1 }, '{"duration_ms":5,"output_bytes":7,"more":1}'],
  ["shard_lost", { worker: "vm:1", duration_ms: 5 }, '{"worker":"vm:1","duration_ms":5}'],
  ["shard_started", {}, "{}"],
])("the data of %s is kept short, and read as it was", (event, data, text) => {
  expect(eventText(event, data)).toBe(text);
  expect(parseEventData(event, text)).toEqual(data);
  expect(parseEventData(event, JSON.stringify(data))).toEqual(data);
});
