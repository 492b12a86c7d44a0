import { resolve } from "node:path";
import type { AttemptSpec } from "./attempt-spec.ts";
import { inheritedEnv } from "./inherited-env.ts";
import { ATTEMPT_ID_VARIABLE } from "./process-group.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import type { ScratchFiles } from "./scratch-files.ts";

/** Longest item in the environment, in bytes: Linux takes no variable of 128 KiB. */
const MAX_ITEM_VARIABLE_BYTES = 100_000;

/** Variables that only some attempts have, so that nobody else's may be taken for them. */
const OPTIONAL_VARIABLES = [
  "FANFOLD_ITEM",
  "FANFOLD_ITEM_INDEX",
  "FANFOLD_PROMPT",
  "FANFOLD_ORIGINAL_PROMPT",
  "FANFOLD_ITERATION",
  "FANFOLD_PREVIOUS_OUTPUT",
];

/**
 * Environment of a command: the worker's as far as it is passed on, the plan's, the phase's, and the attempt's own
 * variables, each winning over the ones before. Attempt variables the worker itself was started with are not passed on,
 * nor are its secrets: a command has those its plan names.
 */
export function commandEnv(
  { spec, files, id, env: planned }: Pick<RunningAttempt, "spec" | "files" | "id" | "env">,
  workerEnv: NodeJS.ProcessEnv,
): Record<string, string> {
  const env = inheritedEnv(workerEnv, spec.rules?.passedEnv ?? null);
  Object.assign(env, planned, attemptVariables(spec, files), { [ATTEMPT_ID_VARIABLE]: id });
  if (spec.inputFile === null) delete env["FANFOLD_INPUT"];
  for (const name of OPTIONAL_VARIABLES) delete env[name];
  return { ...env, ...itemVariables(spec), ...promptVariables(spec, files), ...iterationVariables(spec) };
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
  };
}
