import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatNumber, formatUsd } from "../../src/view/human-format.ts";

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

test.each([
  [0, "0"],
  [0.126, "0.13"],
  [999, "999"],
  [1_234_567.5, "1,234,567.5"],
  [Number.POSITIVE_INFINITY, "0"],
])("formats the number %d as %s", (value, expected) => {
  expect(formatNumber(value)).toBe(expected);
});

test.each([
  [0, "$0.00"],
  [0.0000123456, "$0.0000123"],
  [0.5, "$0.50"],
  [0.999, "$0.999"],
  [1, "$1.00"],
  [12_345.678, "$12,345.68"],
])("formats %d USD as %s", (amount, expected) => {
  expect(formatUsd(amount)).toBe(expected);
});
