import type { Store } from "@fanfold/store";
import { CliError, EXIT } from "./exit-codes.ts";

/** Runs among which a prefix of an id is looked up. */
const SEARCHED_RUNS = 1_000;

/**
 * Turns what a person typed into the id of a run: the id, a unique beginning of one, or `@latest`.
 *
 * @throws {CliError} when there is no such run, or more than one
 */
export async function findRunId(store: Store, typed: string): Promise<string> {
  if (typed !== "@latest" && (await store.runs.find(typed)) !== undefined) return typed;
  const ids = (await store.runs.list({ limit: SEARCHED_RUNS })).map(({ run_id }) => run_id);
  if (typed === "@latest") {
    const [latest] = ids;
    if (latest !== undefined) return latest;
    throw new CliError(EXIT.notFound, "there are no runs yet; start one with `fanfold run PLAN`");
  }
  const matches = ids.filter((id) => id.startsWith(typed));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  if (matches.length > 1) {
    throw new CliError(
      EXIT.notFound,
      `${typed} is the beginning of ${matches.length} runs: ${matches.slice(0, 5).join(", ")}`,
    );
  }
  throw new CliError(EXIT.notFound, `there is no run ${typed}; \`fanfold ls\` lists the runs`);
}
