import type { PoolRate } from "@fanfold/store";
import { InvalidArgumentError } from "commander";

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const MAX_STARTS = 1_000_000;
const MAX_MS = 24 * UNIT_MS.h;

/** Reads a rate such as `10/1s`, `100/m` or `5/500ms`. @throws {InvalidArgumentError} */
export function parseRate(text: string): PoolRate {
  const [, max, count = "1", unit] = /^(\d+)\/(\d+)?(ms|s|m|h)$/.exec(text) ?? [];
  const isUnit = unit === "ms" || unit === "s" || unit === "m" || unit === "h";
  const rate = { max: Number(max), durationMs: isUnit ? Number(count === "" ? 1 : count) * UNIT_MS[unit] : 0 };
  if (!(rate.max >= 1 && rate.max <= MAX_STARTS && rate.durationMs >= 1 && rate.durationMs <= MAX_MS)) {
    throw new InvalidArgumentError("write starts/time, such as 10/1s, 100/m or 5/500ms; at most a day.");
  }
  return rate;
}
