import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Limits } from "@fanfold/schemas";
import { AttemptError } from "./attempt-error.ts";
import { limitAdvice, limitFailure } from "./command-limits.ts";
import type { OutputTail } from "./output-tail.ts";

/** A command as it was started. */
export interface StartedCommand {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Id of the phase, for what the user is told to do next. */
  readonly phase: string;
}

/** How a command ended: by itself, with a code, or by a signal. */
export interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Ends of the output streams, for the reason of a failure. */
export interface OutputTails {
  readonly stdout: OutputTail;
  readonly stderr: OutputTail;
}

const MAX_SHOWN_PATH_CHARS = 500;

/** The failure of a command that could not be started, from the error code of the system call. */
export async function spawnFailure(started: StartedCommand, code: string, message: string): Promise<AttemptError> {
  const { command, phase } = started;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return commandNotFound(started);
    case "EACCES":
    case "EPERM":
      return new AttemptError("COMMAND_NOT_EXECUTABLE", `the worker may not execute command "${command}" (${code})`, {
        next_action: `make it executable (chmod +x), or name its interpreter as the command of phase ${phase}`,
      });
    case "E2BIG":
      return new AttemptError(
        "ARGUMENTS_TOO_LONG",
        `the arguments and the environment of command "${command}" are longer than the system allows (E2BIG)`,
        { next_action: `hand long values over in a file, not in args or env of phase ${phase}` },
      );
    default:
      return startFailure(started, message);
  }
}

/** The failure of a command that could not be started for a reason without a code of its own. */
export function startFailure({ command, phase }: StartedCommand, message: string): AttemptError {
  return new AttemptError("SPAWN_FAILED", `command "${command}" could not be started: ${message}`, {
    next_action: `check command, args and env of phase ${phase}, then the worker's limits on processes, memory and files`,
  });
}

/** The failure of a command that ended by itself, but not with exit code 0. */
export function exitFailure(ending: ExitStatus, tails: OutputTails, limits: Limits | undefined): AttemptError {
  const { exitCode, signal } = ending;
  const exit = { ...ending, lastWords: describeTails(tails) };
  const exceeded = limitFailure(limits, exit);
  if (exceeded !== undefined) return exceeded;
  const hint = limitAdvice(limits, exit);
  if (signal !== null) {
    const advice = hint ?? (signal === "SIGKILL" ? OUT_OF_MEMORY : LOGS);
    return new AttemptError("KILLED", `killed by ${signal}${describeTails(tails)}`, { signal, next_action: advice });
  }
  const code = exitCode ?? -1;
  return new AttemptError("EXIT_NONZERO", `exited with code ${code}${describeTails(tails)}`, {
    exit_code: code,
    next_action: hint ?? exitAdvice(code),
  });
}

/** What a command wrote last, as the continuation of a sentence: stderr, or stdout when stderr is empty. */
export function describeTails(tails: OutputTails): string {
  const stderr = tails.stderr.lines();
  const [name, lines] = stderr.length > 0 ? ["stderr", stderr] : ["stdout", tails.stdout.lines()];
  if (lines.length === 0) return " without a word on stderr or stdout";
  if (lines.length === 1) return `: ${lines[0]}`;
  return `; ${name} ended with:\n${lines.join("\n")}`;
}

const OUT_OF_MEMORY = "the system may have run out of memory: see the worker's kernel log";
const LOGS = "read the whole output of the attempt with: fanfold logs";

function exitAdvice(exitCode: number): string {
  if (exitCode === 126) return "126 from a shell means that a command is not executable; see fanfold logs";
  if (exitCode === 127) return "127 from a shell means that a command was not found; see fanfold logs";
  if (exitCode === 137) return "137 from a shell means that a command got SIGKILL, often for lack of memory";
  return LOGS;
}

async function commandNotFound({ command, cwd, env, phase }: StartedCommand): Promise<AttemptError> {
  const advice = { next_action: `correct command of phase ${phase}, or install it on the workers of its pool` };
  if (!command.includes("/")) {
    const path = (env["PATH"] ?? "").slice(0, MAX_SHOWN_PATH_CHARS);
    const why = `command "${command}" was not found on the worker's PATH (${path || "which is empty"})`;
    return new AttemptError("COMMAND_NOT_FOUND", why, advice);
  }
  const found = await stat(resolve(cwd, command)).catch(() => undefined);
  const why =
    found === undefined
      ? `command "${command}" does not exist in ${cwd}`
      : `command "${command}" exists, but the interpreter its first line names does not`;
  return new AttemptError("COMMAND_NOT_FOUND", why, advice);
}
