const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const BYTE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const USD = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

/** Digits after the point that an amount of money is shown with at most. */
const MAX_USD_DIGITS = 12;

/**
 * Duration for people: `840 ms`, `12.3 s`, `2 min 5 s`, `1 h 3 min`, `2 d 4 h`. Always rounded down, so
 * that a running clock never shows a time that has not come yet.
 *
 * @param durationMs milliseconds; a negative or unknown duration counts as none
 */
export function formatDuration(durationMs: number): string {
  const ms = Number.isFinite(durationMs) ? Math.max(0, Math.floor(durationMs)) : 0;
  if (ms < SECOND_MS) return `${ms} ms`;
  if (ms < MINUTE_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR_MS) return twoUnits(ms, [MINUTE_MS, "min"], [SECOND_MS, "s"]);
  if (ms < DAY_MS) return twoUnits(ms, [HOUR_MS, "h"], [MINUTE_MS, "min"]);
  return twoUnits(ms, [DAY_MS, "d"], [HOUR_MS, "h"]);
}

function twoUnits(ms: number, [largeMs, large]: [number, string], [smallMs, small]: [number, string]): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  const whole = `${Math.floor(ms / largeMs)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** Size for people, in binary units: `512 B`, `1.5 KiB`, `12.3 MiB`. */
export function formatBytes(sizeBytes: number): string {
  let size = Number.isFinite(sizeBytes) ? Math.max(0, sizeBytes) : 0;
  if (size < 1024) return `${Math.floor(size)} B`;
  let unit = -1;
  while (size >= 1024 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${(Math.floor(size * 10) / 10).toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** Count with its noun: `1 shard`, `11 shards`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Number with its thousands apart and at most two digits after the point: `1,234,567`, `0.25`. */
export function formatNumber(value: number): string {
  return NUMBER.format(Number.isFinite(value) ? value : 0);
}

/** Amount of money: `$1,234.50`, and below a dollar three digits that count: `$0.00123`. */
export function formatUsd(amount: number): string {
  if (amount === 0 || amount >= 1) return USD.format(amount);
  const digits = Math.min(MAX_USD_DIGITS, 2 - Math.floor(Math.log10(amount)));
  return `$${amount.toFixed(digits).replace(/(?<=\.\d\d+?)0+$/, "")}`;
}
