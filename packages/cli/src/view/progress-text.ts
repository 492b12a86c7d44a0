import { formatDuration, type Percent } from "@fanfold/core";

const BAR_CELLS = 10;

/** A percent in words, rounded down: `45 %`, or `~45 %` where a part of it is guessed; empty where there is none. */
export function percentText({ percent, percent_mode: mode }: Percent): string {
  if (percent === null) return "";
  return `${mode === "final" ? "" : "~"}${Math.floor(percent)} %`;
}

/** Time left in words: `12.3 s left`; empty where it is unknown or there is none. */
export function etaText(etaSec: number | null): string {
  return etaSec === null || etaSec === 0 ? "" : `${formatDuration(etaSec * 1_000)} left`;
}

/** Plain characters: a bar must also show where the terminal's font has no blocks. */
export function progressBar(percent: number): string {
  const done = Math.floor((Math.max(0, Math.min(percent, 100)) / 100) * BAR_CELLS);
  return `[${"#".repeat(done)}${".".repeat(BAR_CELLS - done)}]`;
}
