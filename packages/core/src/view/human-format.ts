const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const BYTE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

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
