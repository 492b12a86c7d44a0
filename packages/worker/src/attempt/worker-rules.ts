import { realpath } from "node:fs/promises";
import type { Work } from "@fanfold/schemas";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import { isInside } from "./contained-path.ts";
import { findProgram } from "./find-program.ts";

/** What a worker allows to the plans it works for. */
export interface WorkerRules {
  /** Names, looked up on the worker's own PATH, and paths, relative to its workspace; null allows every command. */
  readonly allowedCommands: readonly string[] | null;
  /** The one directory that handlers are loaded from; null allows the whole workspace. */
  readonly handlersDir: string | null;
  /** Names of variables that commands inherit beside the usual ones, with `*` for any text; null passes on all. */
  readonly passedEnv: readonly string[] | null;
}

/** A worker that allows everything. */
export const NO_RULES: WorkerRules = { allowedCommands: null, handlersDir: null, passedEnv: null };

/** The program of a shell line. */
export const SHELL = "/bin/sh";
/** What allows shell lines, beside the path of the shell. */
const SHELL_NAMES: readonly string[] = ["sh", "shell"];

type CommandWork = Extract<Work, { kind: "command" }>;

/**
 * What to start for a command, as far as the worker allows it. Under a rule a name is looked up on the worker's own
 * PATH, so that a plan cannot put another program in its place.
 *
 * @param cwd working directory, in which a relative path starts
 * @throws {AttemptError} `COMMAND_NOT_ALLOWED`, or `COMMAND_NOT_FOUND` for an allowed name that is not on PATH
 */
export async function permitCommand(spec: AttemptSpec, work: CommandWork, cwd: string): Promise<string> {
  const allowed = spec.rules?.allowedCommands ?? null;
  if (work.shell) {
    if (allowed === null || allowed.some((entry) => SHELL_NAMES.includes(entry) || entry === SHELL)) return SHELL;
    throw notAllowed(spec, "shell: true", allowed);
  }
  if (allowed === null) return work.command;
  const wanted = await findOwnProgram(work.command, cwd);
  if (wanted === undefined && allowed.includes(work.command)) {
    throw new AttemptError("COMMAND_NOT_FOUND", `command "${work.command}" was not found on the worker's own PATH`, {
      next_action: `install it on the workers of the pool of phase ${spec.phase.id}`,
    });
  }
  const programs = await Promise.all(allowed.map((entry) => findOwnProgram(entry, spec.workspaceDir)));
  if (wanted === undefined || !programs.includes(wanted)) throw notAllowed(spec, `command "${work.command}"`, allowed);
  return wanted;
}

/**
 * Refuses a handler's file that the worker does not load handlers from.
 *
 * @param path real path of the file
 * @throws {AttemptError} `HANDLER_NOT_ALLOWED`
 */
export async function permitHandler(
  spec: Pick<AttemptSpec, "rules">,
  path: string,
  handlerPath: string,
): Promise<void> {
  const dir = spec.rules?.handlersDir ?? null;
  if (dir === null) return;
  const realDir = await realpath(dir).catch(() => undefined);
  if (realDir !== undefined && isInside(realDir, path)) return;
  throw new AttemptError(
    "HANDLER_NOT_ALLOWED",
    `handler "${handlerPath}" is not in ${dir}, where this worker has its`,
    {
      next_action: `move it there, or start the worker with another --handlers-dir`,
    },
  );
}

/** Absolute path of a program, whose name is looked up on the PATH of this process. */
function findOwnProgram(command: string, base: string): Promise<string | undefined> {
  return findProgram(command, command.includes("/") ? base : process.cwd(), process.env["PATH"] ?? "");
}

function notAllowed(spec: AttemptSpec, what: string, allowed: readonly string[]): AttemptError {
  const why = `${what} is not allowed on this worker, which allows: ${allowed.join(", ") || "nothing"}`;
  return new AttemptError("COMMAND_NOT_ALLOWED", why, {
    next_action: `change phase ${spec.phase.id}, or start the worker with another --allow-command`,
  });
}
