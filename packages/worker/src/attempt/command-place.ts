import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Work } from "@fanfold/schemas";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import { findContainedPath } from "./contained-path.ts";
import { inheritedEnv } from "./inherited-env.ts";
import { permitCommand } from "./worker-rules.ts";

type CommandWork = Extract<Work, { kind: "command" }>;

/** Where a command is run. */
export interface CommandPlace {
  /** Real path of the working directory. */
  readonly cwd: string;
  /** What is started: what the plan says, as far as the worker allows it. */
  readonly program: string;
  /** What the command inherits of the worker's environment. */
  readonly inherited: Readonly<Record<string, string>>;
}

/**
 * Where the command is run. What was found for another shard of its block need not be looked for again; any other attempt
 * before may have changed it.
 */
export async function findPlace(spec: AttemptSpec, work: CommandWork): Promise<CommandPlace> {
  const key = JSON.stringify([spec.phase.cwd, work.command]);
  const known = spec.places?.get(key);
  if (known !== undefined && statSync(known.cwd, { throwIfNoEntry: false })?.isDirectory() === true) return known;
  const cwd = await findWorkingDirectory(spec);
  const program = await permitCommand(spec, work, cwd);
  const place = { cwd, program, inherited: inheritedEnv(process.env, spec.rules?.passedEnv ?? null) };
  spec.places?.set(key, place);
  return place;
}

/**
 * Real path of the working directory of a phase.
 *
 * @throws {AttemptError} `CWD_NOT_FOUND`, or `PATH_OUTSIDE_WORKSPACE`
 */
export async function findWorkingDirectory(spec: AttemptSpec): Promise<string> {
  const cwd = await findContainedPath(spec, spec.phase.cwd, "cwd");
  const found = cwd === undefined ? undefined : await stat(cwd);
  if (cwd !== undefined && found?.isDirectory() === true) return cwd;
  const why = found === undefined ? "does not exist" : "is not a directory";
  throw new AttemptError("CWD_NOT_FOUND", `working directory "${spec.phase.cwd}" ${why} in the worker's workspace`, {
    next_action: `make the directory, or correct cwd of phase ${spec.phase.id}`,
  });
}
