import { expect, test } from "vitest";
import { parseRate } from "../src/parse-rate.ts";

test.each([
  ["10/1s", { max: 10, durationMs: 1_000 }],
  ["100/m", { max: 100, durationMs: 60_000 }],
  ["5/500ms", { max: 5, durationMs: 500 }],
  ["1/2h", { max: 1, durationMs: 7_200_000 }],
])("reads %s", (text, rate) => {
  expect(parseRate(text)).toEqual(rate);
});

test.each(["", "10", "0/1s", "10/0s", "10/25h", "10/1d", "x/1s", "10/1s "])("refuses %j", (text) => {
  expect(() => parseRate(text)).toThrow(/such as 10\/1s/);
});
