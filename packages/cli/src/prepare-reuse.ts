import { chooseReuse } from "@fanfold/core";
import { hashCode } from "@fanfold/engine";
import type { CompiledPlan } from "@fanfold/schemas";
import { CliError, EXIT } from "./exit-codes.ts";
import { type GlobalFlags, resolveConfig } from "./session-config.ts";

/** Flags that say what a run does with earlier outputs. */
export interface ReuseFlags extends GlobalFlags {
  readonly cache: boolean;
  readonly refresh?: readonly string[];
}

/**
 * The plan as it is submitted from here: with the choice of the flags, and the hashes of the files that it runs.
 *
 * @returns the plan, and a sentence for each phase whose outputs cannot be reused
 * @throws {CliError} when a phase to refresh is not in the plan
 */
export async function prepareReuse(
  compiled: CompiledPlan,
  flags: ReuseFlags,
): Promise<{ readonly plan: CompiledPlan; readonly warnings: readonly string[] }> {
  const { plan, unknown } = chooseReuse(compiled, { noCache: !flags.cache, refresh: flags.refresh ?? [] });
  if (unknown.length > 0) {
    const has = plan.phases.map(({ id }) => id).slice(0, 10);
    throw new CliError(EXIT.usage, `--refresh: the plan has no phase ${unknown.join(", ")}; it has ${has.join(", ")}`);
  }
  return hashCode(plan, resolveConfig(flags, process.env, process.cwd()).workspaceDir);
}
