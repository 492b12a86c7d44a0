import { resolve } from "node:path";
import type { AttemptSpec } from "./attempt-spec.ts";
import { ATTEMPT_ID_VARIABLE } from "./process-group.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import type { ScratchFiles } from "./scratch-files.ts";

/** Longest item in the environment, in bytes: Linux takes no variable of 128 KiB. */
const MAX_ITEM_VARIABLE_BYTES = 100_000;

/** Variables that only some attempts have, so that nobody else's may be taken for them. */
const OPTIONAL_VARIABLES = [
  "FANFOLD_INPUT",
  "FANFOLD_ITEM",
  "FANFOLD_ITEM_INDEX",
  "FANFOLD_PROMPT",
  "FANFOLD_ORIGINAL_PROMPT",
  "FANFOLD_ITERATION",
  "FANFOLD_PREVIOUS_OUTPUT",
  "FANFOLD_SPAWN",
  "FANFOLD_SPAWNED",
];

/**
 * Environment of a command: the worker's as far as it is passed on, the plan's, the phase's, and the attempt's own
 * variables, each winning over the ones before. Attempt variables the worker itself was started with are not passed on,
 * nor are its secrets: a command has those its plan names.
 *
 * @param inherited the worker's, as far as it is passed on
 */
export function commandEnv(
  { spec, files, id, env: planned }: Pick<RunningAttempt, "spec" | "files" | "id" | "env">,
  inherited: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = attemptVariables(spec, files);
  const env: Record<string, string> = Object.assign({}, inherited, planned, own, {
    [ATTEMPT_ID_VARIABLE]: id,
  });
  for (const name of OPTIONAL_VARIABLES) if (!(name in own)) delete env[name];
  return env;
}

function iterationVariables({ iteration }: AttemptSpec): Record<string, string> {
  if (iteration === undefined) return {};
  const { number, previousFile } = iteration;
  const previous = previousFile === null ? {} : { FANFOLD_PREVIOUS_OUTPUT: resolve(previousFile) };
  return { FANFOLD_ITERATION: String(number), ...previous };
}

function promptVariables({ prompt }: AttemptSpec, files: ScratchFiles): Record<string, string> {
  if (prompt === undefined) return {};
  return { FANFOLD_PROMPT: files.prompt, FANFOLD_ORIGINAL_PROMPT: files.originalPrompt };
}

/** An item that no environment can hold is in FANFOLD_INPUT alone. */
function itemVariables({ item }: AttemptSpec): Record<string, string> {
  if (item === undefined) return {};
  const fits = Buffer.byteLength(item.text) <= MAX_ITEM_VARIABLE_BYTES && !item.text.includes("\0");
  return { ...(fits ? { FANFOLD_ITEM: item.text } : {}), FANFOLD_ITEM_INDEX: String(item.index) };
}

function attemptVariables(spec: AttemptSpec, files: ScratchFiles): Record<string, string> {
  return {
    FANFOLD_RUN_ID: spec.runId,
    FANFOLD_PHASE: spec.phase.id,
    FANFOLD_REVISION: String(spec.revision),
    FANFOLD_SHARD_INDEX: String(spec.shardIndex),
    FANFOLD_SHARD_COUNT: String(spec.shardCount),
    FANFOLD_ATTEMPT: String(spec.attempt),
    FANFOLD_ARTIFACTS: resolve(spec.artifactsDir),
    FANFOLD_OUTPUT: files.output,
    FANFOLD_EVENTS: files.events,
    ...(spec.inputFile === null ? {} : { FANFOLD_INPUT: resolve(spec.inputFile) }),
    ...itemVariables(spec),
    ...promptVariables(spec, files),
    ...iterationVariables(spec),
    ...spawnVariables(spec),
  };
}

/** What was spawned before the attempt, and why it was spawned itself. */
function spawnVariables({ spawn }: AttemptSpec): Record<string, string> {
  if (spawn === undefined) return {};
  const { order, childrenDir } = spawn;
  const given = Object.entries(order?.value.variables ?? {}).map(([name, value]) => [`FANFOLD_VAR_${name}`, value]);
  return {
    FANFOLD_SPAWN_ROUND: String(spawn.round),
    ...(childrenDir === null ? {} : { FANFOLD_SPAWNED: resolve(childrenDir) }),
    ...(order === null ? {} : { FANFOLD_SPAWN: resolve(order.file) }),
    ...Object.fromEntries(given),
  };
}
