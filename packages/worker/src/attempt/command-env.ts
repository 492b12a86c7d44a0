import { resolve } from "node:path";
import type { AttemptSpec } from "./attempt-spec.ts";
import { inheritedEnv } from "./inherited-env.ts";
import { ATTEMPT_ID_VARIABLE } from "./process-group.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import type { ScratchFiles } from "./scratch-files.ts";

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
  return env;
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
