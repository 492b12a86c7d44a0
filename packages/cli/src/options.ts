import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import type { GlobalFlags } from "./session-config.ts";

/** Collects `--var K=V` flags; the value is everything after the first `=`. */
export function collectVariable(text: string, previous: Record<string, string> | undefined): Record<string, string> {
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

/** Longest time a flag in seconds may name: 30 days, as in plans. */
const MAX_SEC = 30 * 24 * 3600;

/** Parses a time in seconds, fractions included. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= MAX_SEC)) {
    throw new InvalidArgumentError("write a number of seconds, at most 30 days");
  }
  return value;
}

/** Parses a number from 0, which need not be whole. */
export function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("write a number from 0");
  return value;
}

/** Collects a flag that may be given several times. */
export function collectText(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}

/** Collects a flag that takes ids, apart by commas, and may be given several times; commas in brackets are part of an id. */
export function collectIds(text: string, previous: readonly string[] | undefined): string[] {
  const ids = text.split(/,(?![^[\]]*\])/).map((id) => id.trim());
  if (ids.includes("")) throw new InvalidArgumentError("write ids of phases, apart by commas");
  return [...(previous ?? []), ...ids];
}

/** Flags of every command that reads a plan. */
export interface PlanFlags extends GlobalFlags {
  readonly var?: Record<string, string>;
  readonly varsFile?: string;
  readonly strict?: boolean;
  readonly only?: string[];
  readonly skip?: string[];
  readonly from?: string[];
  readonly to?: string[];
  readonly exclude?: string[];
  readonly template?: string;
  readonly json?: boolean;
}

/** Adds the flags that give variables their values, and what becomes of warnings. */
export function addVariableOptions(command: Command): Command {
  return command
    .option("--var <NAME=VALUE>", "set a variable of the plan; may be repeated", collectVariable)
    .option("--vars-file <file>", "set variables from a YAML or JSON map; --var wins over it")
    .option("--strict", "treat warnings as errors");
}

/** Adds a command that reads a plan or a template, with the flags that say how to read it. */
export function planCommand(program: Command, name: string, description: string): Command {
  const command = program
    .command(name)
    .argument("[plan]", "plan file: .yaml, .json, or a module that exports a plan")
    .description(description);
  return addVariableOptions(command)
    .option("--template <name>", "take a template, NAME or NAME@VERSION, in the place of a plan file")
    .option("--only <ids>", "only these phases, or instances of a matrix, take part", collectIds)
    .option("--skip <ids>", "these take no part", collectIds)
    .option("--from <ids>", "only these and what depends on them take part", collectIds)
    .option("--to <ids>", "only these and what they depend on take part", collectIds)
    .option("--exclude <ids>", "take these phases or stages out; dependents inherit what they depended on", collectIds);
}

/** Shards executed at once by a worker when nobody says otherwise: one a core. */
export const DEFAULT_CONCURRENCY = availableParallelism();
