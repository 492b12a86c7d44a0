import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "commander";

/** Collects `--var K=V` flags; the value is everything after the first `=`. */
export function collectVariable(text: string, previous: Record<string, string>): Record<string, string> {
  const split = text.indexOf("=");
  if (split < 1) throw new InvalidArgumentError("write NAME=VALUE");
  return { ...previous, [text.slice(0, split)]: text.slice(split + 1) };
}

/** Parses a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min) throw new InvalidArgumentError(`write a whole number from ${min}`);
    return value;
  };
}

/** Collects a flag that may be given several times. */
export function collectText(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}

/** Shards executed at once by a worker when nobody says otherwise: one a core. */
export const DEFAULT_CONCURRENCY = availableParallelism();
