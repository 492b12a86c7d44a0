import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration } from "../../src/view/human-format.ts";

test.each([
  [0, "0 ms"],
  [999.9, "999 ms"],
  [1_000, "1.0 s"],
  [59_999, "59.9 s"],
  [60_000, "1 min"],
  [125_999, "2 min 5 s"],
  [3_600_000, "1 h"],
  [3_780_000, "1 h 3 min"],
  [187_200_000, "2 d 4 h"],
  [-5, "0 ms"],
  [Number.NaN, "0 ms"],
])("formats %d ms as %s", (durationMs, expected) => {
  expect(formatDuration(durationMs)).toBe(expected);
});

test.each([
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_024, "1.0 KiB"],
  [1_572_864, "1.5 MiB"],
  [1_048_575, "1023.9 KiB"],
  [2 ** 60, "1024.0 PiB"],
  [-1, "0 B"],
])("formats %d bytes as %s", (sizeBytes, expected) => {
  expect(formatBytes(sizeBytes)).toBe(expected);
});

test("puts a noun in the plural except after one", () => {
  expect([0, 1, 2].map((count) => formatCount(count, "shard"))).toEqual(["0 shards", "1 shard", "2 shards"]);
});
